/* store.h — where packs and manifests live.
 *
 * A store maps keys to byte strings. Four drivers (fs, s3, s3v2, mem) share this face and one contract suite
 * (tests/contract/test_store.c); callers never know which one they hold.
 * Keys are UTF-8, at most STORE_KEY_MAX bytes, '/'-separated, no part empty or starting with '.', no control
 * characters, spaces or backslashes; no key is the folder of another ("a" beside "a/b").
 * What is returned lives in the arena handed in. Calls may run from several threads at once, each with its own arena.
 * Bodies are views: a large one is a mapped file (core/store/spool.h), so memory stays bounded.
 * Fails with NOT_FOUND (key, bucket), EXISTS, DENIED (credentials, permissions), UNREACHABLE (after the retry policy
 * of core/net/retry.h), REFUSED (a store that cannot keep the rules), CORRUPT (the store's reply or a checksum does
 * not hold), LIMIT (beyond the bound given), IO (local file or full disk), USAGE (URL, settings), INVALID (key).
 * Secrets never appear in a message.
 */
#pragma once
#include "core/base/sha256.h"
#include "core/config/config.h"

enum { STORE_KEY_MAX = 900 }; /* S3 allows 1024 with the bucket's prefix */

struct store;
struct spool;

/* What the store knows of one object. */
struct store_info {
    struct str key;
    uint64_t bytes;
    int64_t modified_ms; /* Unix time */
    bool
        has_sha256; /* the store vouches for `sha256`; always so in mem and fs, in S3 where it keeps checksums */
    struct sha256 sha256;
    struct str version; /* S3 VersionId; empty where the store keeps none */
    /* Object lock, told by head only: it cannot be erased before this Unix time (0: at any time), … */
    int64_t retained_until_ms;
    bool legal_hold; /* … nor while this holds */
};

struct store_page {
    struct store_info *items; /* in bytewise order of keys; without sha256 */
    size_t count, cap;
    bool more; /* ask again after the last key */
};

/* Takes what a get delivers, piece by piece; false aborts with the err it filled. */
struct store_sink {
    bool (*piece)(void *ctx, struct str piece, struct err *err);
    void *ctx;
};

/* Opens the store that config->url names: s3://bucket/prefix, s3v2://bucket/prefix, file:///dir, mem:. Reads
 * credentials, writes nothing, and asks the network nothing. The store lives in `arena`, its connections until
 * store_close. */
bool store_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                struct err *err) WARN_UNUSED;
/* The same for a list of stores: one is that store; several become one that keeps a copy in each (core/store/mirror.h),
 * at most STORE_MAX_COPIES. */
bool store_open_all(struct arena *arena, const struct config_stores *config, struct store **ret_store,
                    struct err *err) WARN_UNUSED;
void store_close(struct store *store);             /* NULL is fine */
struct str store_url(const struct store *store);   /* as configured, for messages and reports */
struct str store_label(const struct store *store); /* its name in the configuration, else the URL */

/* Whether of two writers of one key at the same moment one wins. True everywhere but in s3v2. */
bool store_creates_atomically(const struct store *store);

/* Proves that backups are safe here: it can be written, and a second create-only put is refused (else REFUSED, with the
 * reason). Leaves one small object, STORE_PROBE_KEY, that makes the next proof a single request. */
bool store_probe(struct store *store, struct arena *arena, struct err *err) WARN_UNUSED;
#define STORE_PROBE_KEY "create-only-probe.txt"

/* Writes `body` under `key`, or fails with EXISTS and writes nothing if the key is taken: of many writers at once
 * one wins. Durable on return, and never half there. `ret_info` may be NULL. */
bool store_create(struct store *store, struct arena *arena, struct str key, struct str body,
                  struct store_info *ret_info, struct err *err) WARN_UNUSED;
/* The same, replacing what is there: readers see the old bytes or the new ones. */
bool store_put(struct store *store, struct arena *arena, struct str key, struct str body,
               struct store_info *ret_info, struct err *err) WARN_UNUSED;

/* Reads whole; LIMIT when the object has more than `max_bytes`. */
bool store_get(struct store *store, struct arena *arena, struct str key, size_t max_bytes,
               struct str *ret_body, struct err *err) WARN_UNUSED;
/* Reads into `sink`. A success means that every byte came; after a failure the sink may have seen some. */
bool store_read(struct store *store, struct str key, const struct store_sink *sink,
                struct err *err) WARN_UNUSED;
/* Size, checksum, version. fs reads the whole object to know its checksum. */
bool store_head(struct store *store, struct arena *arena, struct str key, struct store_info *ret_info,
                struct err *err) WARN_UNUSED;
/* Keys that start with `prefix` and come after `after` (empty: from the first), at most `limit` (1…1000). */
bool store_list(struct store *store, struct arena *arena, struct str prefix, struct str after, size_t limit,
                struct store_page *ret_page, struct err *err) WARN_UNUSED;
/* Removes; a key that is not there is no failure (S3 does not tell). In a bucket with versions it hides the object and
 * frees nothing, also under object lock. */
bool store_delete(struct store *store, struct str key, struct err *err) WARN_UNUSED;
/* Removes with every version, so that the space is free. REFUSED, and says until when, while object lock or a legal hold
 * keeps one of them; what readers see is then as before. */
bool store_erase(struct store *store, struct str key, struct err *err) WARN_UNUSED;

/* Reads an object whose content is known into a nameless file in `dir` (core/store/spool.h), and proves size and hash:
 * CORRUPT where they differ. Where several copies are kept, the next one is asked before that is said. */
bool store_fetch(struct store *store, struct str key, uint64_t bytes, const struct sha256 *sha256,
                 const char *dir, struct spool **ret_spool, struct str *ret_bytes,
                 struct err *err) WARN_UNUSED;

/* Content that is known before it is sent. */
struct store_content {
    struct str key, body;
    struct sha256 sha256; /* of body */
};

enum store_held { STORE_LACKS, STORE_DIFFERS, STORE_HOLDS };

/* Looks in every copy whether it holds exactly this, sends it where it does not, and asks again: what counts is what the
 * store says that it holds. `dry` only looks. `ret_held` is what was found before, the worst of the copies. */
bool store_ensure(struct store *store, struct arena *arena, const struct store_content *content, bool dry,
                  struct store_info *ret_info, enum store_held *ret_held, struct err *err) WARN_UNUSED;
/* Reads like store_get, from the first copy whose bytes `accept` takes. */
typedef bool (*store_accept_fn)(void *ctx, struct str body, struct err *err);
bool store_get_accepted(struct store *store, struct arena *arena, struct str key, size_t max_bytes,
                        store_accept_fn accept, void *ctx, struct str *ret_body, struct err *err) WARN_UNUSED;

/* ---- copies: one, unless several stores are configured ---- */

enum { STORE_MAX_COPIES = 8 };
size_t store_copies(const struct store *store);
struct store *store_copy(struct store *store, size_t index);
/* What a copy failed at and another made good since the store was opened, a line each; names the store. */
void store_notes(struct store *store, struct arena *arena, struct str_list *ret_notes);
/* The copies that lack something that was written since then. */
void store_lagging(struct store *store, struct arena *arena, struct str_list *ret_labels);

/* Copy `index` was given everything it lacked: it lags no more. */
void store_caught_up(struct store *store, size_t index);

/* `text` as one part of a key or a path: letters, digits and "-_.:@+=" stay, the rest becomes %XX, and so does the
 * first byte where the part would be empty, hidden or a step upwards. Different texts give different parts. */
struct str store_key_part(struct arena *arena, struct str text);
