/* arena.h — memory with one owner and one end.
 *
 * A run or a request has one arena; a stage takes a scratch arena for what dies with the stage.
 * Everything allocated lives until arena_free or arena_reset; nothing is freed alone. One arena belongs to
 * one thread at a time. Running out of memory aborts: no caller could do better, and none has to check.
 * With -DARENA_DEBUG every allocation is a malloc of its own, so that AddressSanitizer sees each object.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
/* Forgets everything allocated so far and keeps memory for reuse. */
void arena_reset(struct arena *arena);

/* Returns `bytes` zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* Returns `count` zeroed elements of `size` bytes; a product that overflows aborts. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* Returns a copy of `old` (count elements) with room for `new_count`: how a list grows in an arena. */
void *arena_grow(struct arena *arena, const void *old, size_t count, size_t new_count, size_t size);
/* Makes all that `other` holds `arena`'s own and frees `other`: how the work of two threads becomes one result. */
void arena_adopt(struct arena *arena, struct arena *other);
/* Bytes handed out so far: for tests and for reports of memory use. */
size_t arena_used(const struct arena *arena);
/* Whether these bytes stand anywhere in it: for tests of what must not be kept. */
bool arena_holds(const struct arena *arena, const void *bytes, size_t len);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

/* Appends one element to an arena-owned list `struct { type *items; size_t count, cap; }` and yields its
 * address. The list doubles, so the cost per element stays constant. */
#define ARENA_PUSH(arena, list)                                                                              \
    ((list)->count < (list)->cap ? &(list)->items[(list)->count++]                                           \
                                 : (((list)->cap = (list)->cap ? 2 * (list)->cap : 8),                       \
                                    ((list)->items = arena_grow((arena), (list)->items, (list)->count,       \
                                                                (list)->cap, sizeof *(list)->items)),        \
                                    &(list)->items[(list)->count++]))

/* For CLEANUP(arena_cleanup) on a local scratch arena. */
void arena_cleanup(struct arena **arena);
