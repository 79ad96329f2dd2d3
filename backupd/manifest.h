/* manifest.h — what a backup is: one JSON document, written last, never changed.
 *
 * Keys in the store:
 *   packs/<sha256>.tar.zst[.age]                  content-addressed, shared by backups
 *   backups/<cluster>/<id>/manifest.json          a backup exists when this does
 *   backups/<cluster>/<id>/in-progress.json       marker while it is made
 * An id is the UTC time to the millisecond and 32 random bits, "20261121T020000.123Z-7f3a9c2e": ids sort by time.
 * The manifest names cluster, versions, every type with its resourceVersion, count and what is missing and why, and
 * every pack with hash, size and count. `digest` is the SHA-256 of all the rest as JSON with sorted keys and no blanks,
 * so that no bit of it changes unnoticed. Format 1; a newer one is REFUSED by name, anything malformed is CORRUPT.
 */
#pragma once
#include "core/kube/bundle.h"
#include "core/store/store.h"

enum { MANIFEST_FORMAT = 1, MANIFEST_MAX_BYTES = 64 << 20 };

/* What a pack holds. */
enum manifest_part { MANIFEST_CLUSTER, MANIFEST_NAMESPACE, MANIFEST_SCHEMA, MANIFEST_HOOK };

struct manifest_pack {
    enum manifest_part part;
    struct str namespace; /* of MANIFEST_NAMESPACE */
    struct str hook;      /* of MANIFEST_HOOK: whose output it holds */
    struct sha256 sha256; /* of what is stored */
    uint64_t bytes, raw_bytes, entries;
    bool encrypted;      /* age around the zstd */
    struct sha256 plain; /* of an encrypted pack before that: what did not change is known again by it */
    struct str version;  /* S3 VersionId; empty without */
};

struct manifest_packs {
    struct manifest_pack *items;
    size_t count, cap;
};

struct manifest {
    struct str id, tool, cluster, cluster_uid, server_version, resource_version;
    int64_t taken_ms;
    bool complete, sandbox;
    uint64_t objects;
    struct resource_types types;
    struct manifest_packs packs;
    struct str_list recipients;    /* age1…, whom packs are encrypted for; empty: they are not */
    struct str_list problems;      /* what the snapshot left out, one line each */
    const struct value *hooks;     /* hooks_value; NULL without */
    const struct value *selection; /* kube_selection_value; NULL: everything was to be read */
    bool
        narrowed; /* less than the configuration says was asked for: no base to tell that something is gone */
};

const struct value *manifest_value(struct arena *arena, const struct manifest *manifest);
/* `root` with the digest of all else that is in it. */
const struct value *manifest_seal(struct arena *arena, const struct value *root);
/* Everything read is checked: hashes, counts that must add up, names that must be there. */
bool manifest_parse(struct arena *arena, struct str text, struct manifest *ret_manifest,
                    struct err *err) WARN_UNUSED;
/* Reads the one under `key` (manifest_key), which must be the one it says it is; NOT_FOUND, CORRUPT, REFUSED. */
bool manifest_fetch(struct store *store, struct arena *arena, struct str key, struct manifest *ret_manifest,
                    struct err *err) WARN_UNUSED;

/* Whether a pack holds objects of the cluster: not so discovery, and what hooks have left. */
bool manifest_has_objects(const struct manifest_pack *pack);
/* "cluster", "namespace payments", "schema", "hook orders-db": how messages and reports call a pack. */
struct str manifest_pack_name(struct arena *arena, const struct manifest_pack *pack);
/* [{type, reason}] of the types that could not be read. */
const struct value *manifest_missing(struct arena *arena, const struct resource_types *types);
/* "deployments.apps", "pods" */
struct str manifest_type_name(struct arena *arena, const struct resource_type *type);

/* "packs/<sha256>.tar.zst", with ".age" behind it where it is encrypted. */
struct str manifest_pack_key(struct arena *arena, const struct manifest_pack *pack);
/* The hash that the key of a pack names; false for any other key. */
bool manifest_pack_of(struct str key, struct sha256 *ret_sha256);
struct str manifest_key(struct arena *arena, struct str cluster, struct str id);
struct str manifest_marker_key(struct arena *arena, struct str cluster, struct str id);
/* "backups/<cluster>/", or "backups/" for an empty cluster. */
struct str manifest_prefix(struct arena *arena, struct str cluster);
