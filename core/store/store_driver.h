/* store_driver.h — what a driver of store.h fills in. For core/store and the tests' fault injector only.
 *
 * A driver embeds `struct store` as its first member. Keys that reach it are checked, bodies are hashed. What it
 * returns lives in the arena of the call, which belongs to the calling thread; it locks what it shares.
 */
#pragma once
#include "core/store/store.h"

struct store_write {
    struct str key, body;
    struct sha256 sha256; /* of body */
    bool create;          /* fail with EXISTS where the key is taken */
};

struct store_driver {
    const char *name;
    /* Fills bytes, version of `info`; key and sha256 are set by the caller. */
    bool (*write)(struct store *store, struct arena *arena, const struct store_write *write,
                  struct store_info *info, struct err *err);
    bool (*read)(struct store *store, struct arena *arena, struct str key, const struct store_sink *sink,
                 struct err *err);
    bool (*head)(struct store *store, struct arena *arena, struct str key, struct store_info *info,
                 struct err *err);
    bool (*list)(struct store *store, struct arena *arena, struct str prefix, struct str after, size_t limit,
                 struct store_page *page, struct err *err);
    bool (*remove)(struct store *store, struct arena *arena, struct str key, struct err *err);
    /* With every version; NULL where there are none, and remove does it. */
    bool (*erase)(struct store *store, struct arena *arena, struct str key, struct err *err);
    /* Clears away what writers that died left behind more than a day ago; NULL where there is nothing. */
    bool (*tidy)(struct store *store, struct arena *arena, struct err *err);
    void (*close)(struct store *store);
    bool create_is_a_race; /* two writers of one key at once may both win */
};

struct store {
    const struct store_driver *driver;
    struct str url, name;
    struct store **copies; /* of a mirror (core/store/mirror.h); none otherwise */
    size_t copy_count;
    bool keeps_sums; /* an object without a checksum is none of ours; known after a probe */
};

/* One row per scheme; store.c holds the table. */
bool store_mem_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                    struct err *err);
bool store_fs_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                   struct err *err);
bool store_s3v2_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                     struct err *err);
bool store_s3_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                   struct err *err);

/* NOT_FOUND naming the key, in one wording for all drivers. */
bool store_missing(struct str key, struct err *err);
/* EXISTS naming the key. */
bool store_taken(struct str key, struct err *err);
