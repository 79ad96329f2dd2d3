/* config_read.h — between the two halves of the configuration reader: documents (config.c) and types (config_types.c). */
#pragma once
#include "core/config/config_keys.h"

enum { CONFIG_MAX_BYTES = 1 << 20 };

struct config_reader {
    struct arena *arena;
    struct str text, path, folder; /* of the file; folder is what relative paths are relative to */
    struct err *err;
};

/* Fails with the file, line and column that `pointer` leads to in front of `why`. */
bool config_fail_at(struct config_reader *r, struct str pointer, const char *why);
bool config_expect(struct config_reader *r, struct str pointer, const struct value *value,
                   enum value_kind kind, const char *what);
struct str config_beside_file(struct config_reader *r, struct str path);
/* Reads `value` into the field of `key` in the struct at `base`. */
bool config_read_field(struct config_reader *r, const struct config_key *key, struct str pointer,
                       const struct value *value, void *base);
