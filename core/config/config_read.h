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
/* Where `pointer` leads to, as "file:line:column"; the file alone when that is not known. */
struct str config_where(struct config_reader *r, struct str pointer);
/* A text with its ${NAME}s. */
bool config_read_text(struct config_reader *r, struct str pointer, const struct value *value,
                      struct str *ret);

/* The transform's settings (config_rules.c); `field` as in config_read_field. */
bool config_read_off(struct config_reader *r, struct str pointer, const struct value *value, void *field);
/* One item of a list whose keys are a table: the defaults, then what `item` says. */
bool config_read_item(struct config_reader *r, const struct config_table *table, struct str pointer,
                      const struct value *item, void *base);
bool config_read_hooks(struct config_reader *r, const struct value *list, struct config_hooks *ret_hooks);
bool config_read_rules(struct config_reader *r, struct str pointer, const struct value *value, void *field);
bool config_read_helm(struct config_reader *r, struct str pointer, const struct value *value, void *field);

/* Parts of it that other settings have too. A map with these keys and no others; one text or a list of them. */
bool config_check_keys(struct config_reader *r, struct str pointer, const struct value *map,
                       const char *const *known, const char *what);
bool config_read_texts(struct config_reader *r, struct str pointer, const struct value *value,
                       struct str_list *ret);
bool config_read_match(struct config_reader *r, struct str pointer, const struct value *match,
                       struct config_match *ret);

/* Secrets' settings (config_secrets.c); `field` as in config_read_field. */
bool config_read_secrets_mode(struct config_reader *r, struct str pointer, const struct value *value,
                              void *field);
bool config_read_scope(struct config_reader *r, struct str pointer, const struct value *value, void *field);
bool config_read_secret_rules(struct config_reader *r, struct str pointer, const struct value *value,
                              void *field);
bool config_read_in_clear(struct config_reader *r, struct str pointer, const struct value *value,
                          void *field);

/* Reads `value` into the field of `key` in the struct at `base`. */
bool config_read_field(struct config_reader *r, const struct config_key *key, struct str pointer,
                       const struct value *value, void *base);
