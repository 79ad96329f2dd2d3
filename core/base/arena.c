#include "core/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_FIRST_BLOCK = 64 * 1024, ARENA_LARGEST_BLOCK = 4 * 1024 * 1024 };

struct block {
    struct block *next;
    size_t cap;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *blocks; /* the newest first; only the newest is filled */
    size_t filled;        /* of the newest block */
    size_t used;
};

static _Noreturn void out_of_memory(void)
{
    fputs("out of memory\n", stderr);
    abort();
}

struct arena *arena_new(void)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL)
        out_of_memory();
    return arena;
}

static void blocks_free(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    blocks_free(arena->blocks);
    free(arena);
}

void arena_cleanup(struct arena **arena)
{
    arena_free(*arena);
}

/* Secrets pass through arenas, so what a reset leaves behind is wiped; the largest (newest) block is kept. */
void arena_reset(struct arena *arena)
{
    arena->used = 0;
#ifdef ARENA_DEBUG
    blocks_free(arena->blocks);
    arena->blocks = NULL;
#else
    if (arena->blocks == NULL)
        return;
    blocks_free(arena->blocks->next);
    arena->blocks->next = NULL;
    memset(arena->blocks->bytes, 0, arena->filled);
    arena->filled = 0;
#endif
}

void arena_adopt(struct arena *arena, struct arena *other)
{
    struct block **last = &other->blocks;
    while (*last != NULL)
        last = &(*last)->next;
    if (arena->blocks == NULL) {
        arena->blocks = other->blocks;
        arena->filled = other->filled;
    } else { /* behind the newest block, which goes on being filled */
        *last = arena->blocks->next;
        arena->blocks->next = other->blocks;
    }
    arena->used += other->used;
    free(other);
}

static void add_block(struct arena *arena, size_t cap)
{
    struct block *block = NULL;
    if (cap <= SIZE_MAX - sizeof *block)
        block = calloc(1, sizeof *block + cap);
    if (block == NULL)
        out_of_memory();
    block->cap = cap;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->filled = 0;
}

#ifndef ARENA_DEBUG
static size_t next_block_size(const struct arena *arena, size_t wanted)
{
    size_t cap = arena->blocks ? 2 * arena->blocks->cap : ARENA_FIRST_BLOCK;
    if (cap > ARENA_LARGEST_BLOCK)
        cap = ARENA_LARGEST_BLOCK;
    return cap > wanted ? cap : wanted;
}
#endif

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        out_of_memory();
    arena->used += bytes;
#ifdef ARENA_DEBUG
    add_block(arena, bytes);
    return arena->blocks->bytes;
#else
    size_t step = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (arena->blocks == NULL || arena->blocks->cap - arena->filled < step)
        add_block(arena, next_block_size(arena, step));
    void *at = arena->blocks->bytes + arena->filled;
    arena->filled += step;
    return at;
#endif
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        out_of_memory();
    return arena_alloc(arena, count * size);
}

void *arena_grow(struct arena *arena, const void *old, size_t count, size_t new_count, size_t size)
{
    void *grown = arena_array(arena, new_count, size);
    if (count != 0)
        memcpy(grown, old, count * size);
    return grown;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

bool arena_holds(const struct arena *arena, const void *bytes, size_t len)
{
    for (const struct block *block = arena->blocks; block != NULL; block = block->next)
        if (memmem(block->bytes, block->cap, bytes, len) != NULL)
            return true;
    return false;
}
