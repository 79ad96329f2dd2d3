/* Memory: aligned, zeroed, forgotten as a whole. */
#include "core/base/base.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

Test(arena, memory_is_zeroed_aligned_and_apart)
{
    struct arena *arena = arena_new();
    unsigned char *before = NULL;
    for (size_t bytes = 1; bytes < 3000; bytes += 7) {
        unsigned char *at = arena_alloc(arena, bytes);
        cr_assert_eq((uintptr_t)at % alignof(max_align_t), 0);
        for (size_t i = 0; i < bytes; i++)
            cr_assert_eq(at[i], 0);
        memset(at, 0xAA, bytes);
        cr_assert_neq(at, before);
        before = at;
    }
    arena_free(arena);
}

Test(arena, large_and_many)
{
    struct arena *arena = arena_new();
    unsigned char *large = arena_alloc(arena, 20 << 20);
    memset(large, 1, 20 << 20);
    for (int i = 0; i < 100000; i++)
        *(int *)arena_alloc(arena, sizeof(int)) = i;
    cr_expect_eq(large[(20 << 20) - 1], 1);
    cr_expect_eq(arena_used(arena), (20u << 20) + 100000 * sizeof(int));
    arena_free(arena);
    arena_free(NULL);
}

Test(arena, reset_forgets_and_hands_out_zeroes_again)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    arena_reset(arena);
    for (int round = 0; round < 3; round++) {
        unsigned char *at = arena_alloc(arena, 100000);
        for (size_t i = 0; i < 100000; i++)
            cr_assert_eq(at[i], 0);
        memset(at, 0xFF, 100000);
        memset(arena_alloc(arena, 500000), 0xFF, 500000);
        arena_reset(arena);
        cr_expect_eq(arena_used(arena), 0);
    }
}

Test(arena, a_list_grows_and_keeps_its_items)
{
    struct {
        int *items;
        size_t count, cap;
    } list = {0};
    struct arena *arena = arena_new();
    for (int i = 0; i < 1000; i++)
        *ARENA_PUSH(arena, &list) = i;
    cr_assert_eq(list.count, 1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(list.items[i], i);
    arena_free(arena);
}

Test(arena, a_product_that_overflows_aborts, .signal = SIGABRT)
{
    struct arena *arena = arena_new();
    arena_array(arena, SIZE_MAX / 2, 3);
}

Test(arena, an_absurd_size_aborts, .signal = SIGABRT)
{
    struct arena *arena = arena_new();
    arena_alloc(arena, SIZE_MAX);
}

Test(arena, what_it_holds_can_be_asked)
{
    struct arena *arena = arena_new();
    cr_expect_not(arena_holds(arena, "marker", 6));
    memcpy(arena_alloc(arena, 6), "marker", 6);
    memset(arena_alloc(arena, 100 << 10), 'x', 100 << 10);
    cr_expect(arena_holds(arena, "marker", 6), "in a block that is not the newest");
    cr_expect_not(arena_holds(arena, "markex", 6));
    arena_reset(arena);
    cr_expect_not(arena_holds(arena, "marker", 6));
    arena_free(arena);
}
