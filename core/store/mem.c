/* The store in memory: for tests, and the simplest reading of what store.h promises. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/store_driver.h"

struct object {
    struct str key, body;
    struct sha256 sha256;
    int64_t modified_ms;
};

struct mem {
    struct store store;
    pthread_mutex_t lock;
    struct object *items; /* sorted by key */
    size_t count, cap;
};

static struct str heap_copy(struct str text)
{
    char *copy = malloc(text.len + 1);
    if (copy == NULL)
        abort();
    if (text.len != 0)
        memcpy(copy, text.ptr, text.len);
    return (struct str){copy, text.len};
}

/* Index of the first key that is not before `key`. */
static size_t lower_bound(const struct mem *mem, struct str key)
{
    size_t from = 0, to = mem->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_cmp(mem->items[middle].key, key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool has(const struct mem *mem, size_t index, struct str key)
{
    return index < mem->count && str_eq(mem->items[index].key, key);
}

static void insert(struct mem *mem, size_t index, struct str key)
{
    if (mem->count == mem->cap) {
        mem->cap = mem->cap ? 2 * mem->cap : 16;
        mem->items = reallocarray(mem->items, mem->cap, sizeof *mem->items);
        if (mem->items == NULL)
            abort();
    }
    memmove(&mem->items[index + 1], &mem->items[index], (mem->count - index) * sizeof *mem->items);
    mem->items[index] = (struct object){.key = heap_copy(key)};
    mem->count++;
}

static bool mem_write(struct store *store, struct arena *arena, const struct store_write *write,
                      struct store_info *info, struct err *err)
{
    struct mem *mem = (struct mem *)store;
    pthread_mutex_lock(&mem->lock);
    size_t index = lower_bound(mem, write->key);
    bool taken = has(mem, index, write->key);
    if (!taken || !write->create) {
        if (!taken)
            insert(mem, index, write->key);
        struct object *object = &mem->items[index];
        free((void *)object->body.ptr);
        object->body = heap_copy(write->body);
        object->sha256 = write->sha256;
        object->modified_ms = clock_now_ms(NULL);
    }
    pthread_mutex_unlock(&mem->lock);
    return !taken || !write->create || store_taken(write->key, err);
}

static bool mem_read(struct store *store, struct arena *arena, struct str key, const struct store_sink *sink,
                     struct err *err)
{
    struct mem *mem = (struct mem *)store;
    pthread_mutex_lock(&mem->lock);
    size_t index = lower_bound(mem, key);
    bool found = has(mem, index, key);
    struct str body = found ? str_dup(arena, mem->items[index].body) : STR_NONE;
    pthread_mutex_unlock(&mem->lock);
    if (!found)
        return store_missing(key, err);
    return body.len == 0 || sink->piece(sink->ctx, body, err);
}

static struct store_info info_of(const struct object *object, struct str key)
{
    return (struct store_info){.key = key, .bytes = object->body.len, .modified_ms = object->modified_ms};
}

static bool mem_head(struct store *store, struct arena *arena, struct str key, struct store_info *info,
                     struct err *err)
{
    struct mem *mem = (struct mem *)store;
    pthread_mutex_lock(&mem->lock);
    size_t index = lower_bound(mem, key);
    bool found = has(mem, index, key);
    if (found) {
        *info = info_of(&mem->items[index], key);
        info->sha256 = mem->items[index].sha256;
        info->has_sha256 = true;
    }
    pthread_mutex_unlock(&mem->lock);
    return found || store_missing(key, err);
}

static bool mem_list(struct store *store, struct arena *arena, struct str prefix, struct str after,
                     size_t limit, struct store_page *page, struct err *err)
{
    struct mem *mem = (struct mem *)store;
    pthread_mutex_lock(&mem->lock);
    for (size_t i = lower_bound(mem, str_cmp(after, prefix) > 0 ? after : prefix); i < mem->count; i++) {
        const struct object *object = &mem->items[i];
        if (str_eq(object->key, after))
            continue;
        if (!str_starts(object->key, prefix))
            break;
        if (page->count == limit) {
            page->more = true;
            break;
        }
        *ARENA_PUSH(arena, page) = info_of(object, str_dup(arena, object->key));
    }
    pthread_mutex_unlock(&mem->lock);
    return true;
}

static bool mem_remove(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct mem *mem = (struct mem *)store;
    pthread_mutex_lock(&mem->lock);
    size_t index = lower_bound(mem, key);
    if (has(mem, index, key)) {
        free((void *)mem->items[index].key.ptr);
        free((void *)mem->items[index].body.ptr);
        mem->count--;
        memmove(&mem->items[index], &mem->items[index + 1], (mem->count - index) * sizeof *mem->items);
    }
    pthread_mutex_unlock(&mem->lock);
    return true;
}

static void mem_close(struct store *store)
{
    struct mem *mem = (struct mem *)store;
    for (size_t i = 0; i < mem->count; i++) {
        free((void *)mem->items[i].key.ptr);
        free((void *)mem->items[i].body.ptr);
    }
    free(mem->items);
    mem->items = NULL;
    mem->count = 0;
    pthread_mutex_destroy(&mem->lock);
}

static const struct store_driver driver = {
    .name = "mem",
    .write = mem_write,
    .read = mem_read,
    .head = mem_head,
    .list = mem_list,
    .remove = mem_remove,
    .close = mem_close,
};

bool store_mem_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                    struct err *err)
{
    if (!str_is(config->url, "mem:"))
        return err_set(err, ERR_USAGE, "nothing may follow mem:");
    struct mem *mem = ARENA_NEW(arena, struct mem);
    mem->store.driver = &driver;
    pthread_mutex_init(&mem->lock, NULL);
    *ret_store = &mem->store;
    return true;
}
