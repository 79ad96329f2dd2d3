/* config_keys.h — the rows of config.def as data: for the reader, the JSON Schema and the manual. */
#pragma once
#include "core/base/buf.h"
#include "core/config/config.h"

enum config_type {
    CONFIG_STRING,
    CONFIG_STRINGS,
    CONFIG_PERCENT,
    CONFIG_COUNT,
    CONFIG_BOOL,
    CONFIG_DURATION,
    CONFIG_SECRETS,
    CONFIG_SEVERITY,
    CONFIG_REPLICAS,
    CONFIG_FOLDER,
    CONFIG_PATH,
    CONFIG_OFF,
    CONFIG_RULES,
    CONFIG_HELM,
    CONFIG_MAP,
    CONFIG_SCOPE,
    CONFIG_SECRET_RULES,
    CONFIG_IN_CLEAR,
};

struct config_key {
    const char *path; /* dotted */
    enum config_type type;
    size_t offset;        /* of the field */
    const char *fallback; /* as it would stand in the file */
    const char *text;
};

struct config_table {
    const struct config_key *keys;
    size_t count;
};

extern const struct config_table config_keys, config_store_keys, config_environment_keys, config_hook_keys;

const struct config_key *config_key_find(const struct config_table *table, struct str path);
/* The default as a value of the right kind; NULL where the default is "nothing". */
const struct value *config_default_value(struct arena *arena, const struct config_key *key);
/* JSON Schema (draft 2020-12) of gitops-pipe.yaml. */
const struct value *config_schema(struct arena *arena);

/* docs/configuration.md (config_manual.c), and the file with every key that stands in it. */
void config_markdown(struct buf *text);
extern const char config_example[];
