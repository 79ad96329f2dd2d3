/* Value trees carry no positions; a message that needs one asks for it here, at the price of reading again. */
#include <yaml.h>

#include "core/base/yaml.h"

enum { LOCATE_MAX_DEPTH = 100 };

/* One open container on the way down. `wanted` is set while the containers so far follow the pointer. */
struct level {
    bool is_map, wanted, at_value;
    size_t index;
};

struct search {
    struct str tokens[LOCATE_MAX_DEPTH];
    size_t token_count;
    struct level levels[LOCATE_MAX_DEPTH];
    size_t depth;
    bool key_matches; /* the last key read at the innermost level is the wanted token */
    yaml_mark_t found;
};

static bool split(struct arena *arena, struct str pointer, struct search *search)
{
    if (pointer.len != 0)
        str_cut(&pointer, '/');
    while (pointer.len != 0) {
        struct str token = str_cut(&pointer, '/');
        char *plain = arena_alloc(arena, token.len + 1);
        size_t len = 0;
        if (search->token_count == LOCATE_MAX_DEPTH)
            return false;
        for (size_t i = 0; i < token.len; i++) {
            bool escaped = token.ptr[i] == '~' && i + 1 < token.len;
            plain[len++] = !escaped ? token.ptr[i] : token.ptr[++i] == '1' ? '/' : '~';
        }
        search->tokens[search->token_count++] = (struct str){plain, len};
    }
    return true;
}

static bool token_is_index(struct str token, size_t index)
{
    uint64_t number;
    return str_to_u64(token, &number) && number == index;
}

/* Called for every node; says whether it is one the pointer passes through, and remembers the last one's place. */
static bool node_wanted(struct search *search, const yaml_event_t *event, bool *ret_done)
{
    if (search->depth == 0)
        return true;
    struct level *level = &search->levels[search->depth - 1];
    struct str token = search->depth <= search->token_count ? search->tokens[search->depth - 1] : STR_NONE;
    bool wanted = level->wanted && search->depth <= search->token_count;
    if (level->is_map && !level->at_value) {
        struct str key = event->type == YAML_SCALAR_EVENT
                             ? (struct str){(const char *)event->data.scalar.value, event->data.scalar.length}
                             : STR_NONE;
        search->key_matches = wanted && str_eq(key, token);
        level->at_value = true;
        if (search->key_matches)
            search->found = event->start_mark;
        *ret_done = search->key_matches && search->depth == search->token_count;
        return false;
    }
    if (level->is_map) {
        level->at_value = false;
        return wanted && search->key_matches;
    }
    wanted = wanted && token_is_index(token, level->index++);
    if (wanted)
        search->found = event->start_mark;
    *ret_done = wanted && search->depth == search->token_count;
    return wanted;
}

/* Returns false to stop, with *ret_done telling whether the place was found. */
static bool take_event(struct search *search, const yaml_event_t *event, bool *ret_done)
{
    bool container = event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
    case YAML_ALIAS_EVENT:
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT: {
        bool wanted = node_wanted(search, event, ret_done);
        if (*ret_done || !container)
            return !*ret_done;
        if (search->depth == LOCATE_MAX_DEPTH)
            return false;
        search->levels[search->depth++] =
            (struct level){.is_map = event->type == YAML_MAPPING_START_EVENT, .wanted = wanted};
        return true;
    }
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        search->depth--;
        search->key_matches = false;
        return true;
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_END_EVENT: return false;
    default: return true;
    }
}

bool yaml_locate(struct str text, struct str pointer, size_t *ret_line, size_t *ret_column)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct search search = {0};
    bool done = false, more = true;
    yaml_parser_t parser;
    if (!split(arena, pointer, &search) || !yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    done = search.token_count == 0;
    while (more && !done) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            break;
        more = take_event(&search, &event, &done);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!done)
        return false;
    *ret_line = search.found.line + 1;
    *ret_column = search.found.column + 1;
    return true;
}
