/* words.h — figures and keys as people read them. Everything returned lives in the arena. */
#pragma once
#include "core/base/value.h"

struct str words_duration(struct arena *arena,
                          int64_t ms); /* "350 ms", "4.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
struct str words_bytes(struct arena *arena, uint64_t bytes);  /* "6.1 MB" */
struct str words_number(struct arena *arena, int64_t number); /* "14 210" */
/* "bytesNew" becomes "bytes new", "recoveryTimeMs" "recovery time". */
struct str words_label(struct arena *arena, struct str key);
/* A scalar under its key: durations and sizes with their units, true as "yes". Empty for maps and lists. */
struct str words_value(struct arena *arena, struct str key, const struct value *scalar);
