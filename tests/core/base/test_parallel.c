/* One loop on several threads: every piece once, and the first failure ends it. */
#include <criterion/criterion.h>
#include <stdatomic.h>

#include "core/base/parallel.h"

struct counted {
    atomic_uint calls[1000];
    size_t bad; /* this index fails */
};

static bool count_call(void *ctx, size_t index, struct err *err)
{
    struct counted *counted = ctx;
    counted->calls[index]++;
    return index != counted->bad || err_set(err, ERR_IO, "piece %zu", index);
}

Test(parallel, every_piece_is_done_once_whatever_the_number_of_threads)
{
    for (unsigned threads = 0; threads < 6; threads++) {
        struct counted counted = {.bad = 1000};
        struct err err = {0};
        cr_expect(parallel_for(1000, threads, count_call, &counted, &err), "%s", err.msg);
        for (size_t i = 0; i < 1000; i++)
            cr_expect_eq(counted.calls[i], 1);
        cr_expect(parallel_for(0, threads, count_call, &counted, &err));
    }
}

Test(parallel, the_first_failure_ends_the_loop_and_is_reported)
{
    for (unsigned threads = 1; threads < 6; threads++) {
        struct counted counted = {.bad = 10};
        struct err err = {0};
        cr_expect_not(parallel_for(1000, threads, count_call, &counted, &err));
        cr_expect_eq(err.code, ERR_IO);
        cr_expect_str_eq(err.msg, "piece 10");
        cr_expect_eq(counted.calls[10], 1);
    }
    struct counted counted = {.bad = 10};
    struct err err = {0};
    cr_expect_not(parallel_for(1000, 1, count_call, &counted, &err));
    cr_expect_eq(counted.calls[11], 0, "alone, nothing comes after the failure");
}
