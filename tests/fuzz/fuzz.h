/* fuzz.h — what a fuzz target looks like: one file fuzz_<name>.c with this one function, and seeds in corpus/<name>/.
 * `make fuzz SECONDS=60` lets libFuzzer look for more; `make fuzz-replay` (part of `make check`) runs every seed, and
 * every crash that was ever found and kept there, under the sanitizers and without a fuzzer. A broken promise aborts. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
/* Aborts with `what` when a promise does not hold. */
static inline void fuzz_expect(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}
