/* attr.h — compiler attributes under readable names. */
#pragma once

/* The result says whether it worked; ignoring it is a bug. */
#define WARN_UNUSED __attribute__((warn_unused_result))
/* Argument `fmt` (1-based) is a printf format for the arguments from `args` on. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
/* Runs `function` on the address of the variable when it leaves scope: for foreign handles only. */
#define CLEANUP(function) __attribute__((cleanup(function)))
