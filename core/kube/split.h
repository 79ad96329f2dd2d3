/* split.h — a list of the Kubernetes API, taken apart while it comes in.
 *
 * A list is one JSON map: {"kind", "apiVersion", "metadata": {"resourceVersion", "continue"}, "items": [...]}, its
 * members in any order. What arrives in pieces of any size is cut at the items, and each is handed on as soon as it is
 * there: memory holds one item, never a page. Only the outer structure is looked at here; an item is cut where its
 * brackets close, and whoever takes it parses it (core/base/json.h) and so finds what is wrong inside.
 * Fails with CORRUPT (no list, cut short, text after its end) and LIMIT (an item beyond the bound).
 */
#pragma once
#include "core/base/value.h"

struct split_sink {
    /* One item as it came; the text is alive until the call returns. False ends the reading with the err it filled. */
    bool (*item)(void *ctx, struct str text, struct err *err);
    void *ctx;
};

struct split {
    struct split_sink sink;
    int state;
    int kind; /* of the value that is being cut */
    bool in_string, escaped;
    bool is_items, is_metadata, had_items,
        had_metadata; /* of the member that is being read; what came so far */
    uint64_t depth;
    size_t max;
    struct buf held; /* the start of what did not end with its piece */
    struct buf metadata;
};

void split_init(struct split *split, const struct split_sink *sink, size_t max_item_bytes);
void split_done(struct split *split);  /* frees; may be called twice, fit for CLEANUP(split_done) */
void split_again(struct split *split); /* forgets what came: the list starts anew */
bool split_feed(struct split *split, struct str piece, struct err *err) WARN_UNUSED;
/* The end of the input: CORRUPT unless the list was whole. Its metadata, a map, goes into `arena`. */
bool split_end(struct split *split, struct arena *arena, const struct value **ret_metadata,
               struct err *err) WARN_UNUSED;
