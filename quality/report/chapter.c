#include "quality/report/chapter.h"

#include "quality/report/words.h"

enum { LISTED_SCALARS = 12, TALLY_FROM = 8 };

static void take(struct arena *arena, struct chapter *chapter, struct str label, struct str key,
                 const struct value *value, int depth);

static bool is_scalar(const struct value *value)
{
    return !value_is(value, VALUE_MAP) && !value_is(value, VALUE_LIST);
}

static void push_fact(struct arena *arena, struct chapter *chapter, struct str label, struct str value)
{
    if (chapter->facts.count < CHAPTER_MAX_FACTS)
        *ARENA_PUSH(arena, &chapter->facts) = (struct fact){label, value};
}

static void take_scalars(struct arena *arena, struct chapter *chapter, struct str label,
                         const struct value *list)
{
    struct str parts[LISTED_SCALARS];
    size_t count = 0;
    for (size_t i = 0; i < value_count(list) && count < COUNT_OF(parts); i++)
        parts[count++] = words_value(arena, STR_NONE, value_item(list, i));
    struct str line = str_join(arena, parts, count, STR(", "));
    if (value_count(list) > count)
        line = str_fmt(arena, "%.*s … and %zu more", STR_ARG(line), value_count(list) - count);
    push_fact(arena, chapter, label, line);
}

/* What names an object reads as one text: "payments/Deployment/web". */
static bool is_object(const struct value *value)
{
    return value_is(value_key(value, "kind"), VALUE_STRING) &&
           value_is(value_key(value, "name"), VALUE_STRING);
}

static struct str cell_text(struct arena *arena, struct str key, const struct value *cell)
{
    if (!is_object(cell))
        return words_value(arena, key, cell);
    struct str namespace = value_str(value_key(cell, "namespace"));
    return str_fmt(arena, "%.*s%s%.*s/%.*s", STR_ARG(namespace), namespace.len ? "/" : "",
                   STR_ARG(value_str(value_key(cell, "kind"))), STR_ARG(value_str(value_key(cell, "name"))));
}

/* A column that is empty in every row is none. */
static void add_columns(struct arena *arena, struct str_list *columns, const struct value *row)
{
    MEMBER_EACH(cell, row)
        if ((is_scalar(&cell->value) || is_object(&cell->value)) &&
            cell_text(arena, cell->key, &cell->value).len != 0 && columns->count < CHAPTER_MAX_COLUMNS &&
            !str_in(cell->key, columns->items, columns->count))
            *ARENA_PUSH(arena, columns) = cell->key;
}

static void take_table(struct arena *arena, struct chapter *chapter, struct str label,
                       const struct value *list)
{
    struct fact_table table = {.title = label};
    size_t count = value_count(list) < CHAPTER_MAX_ROWS ? value_count(list) : CHAPTER_MAX_ROWS;
    for (size_t i = 0; i < count; i++)
        add_columns(arena, &table.columns, value_item(list, i));
    for (size_t i = 0; i < count && table.columns.count != 0; i++, table.rows++)
        for (size_t c = 0; c < table.columns.count; c++)
            *ARENA_PUSH(arena, &table.cells) = cell_text(
                arena, table.columns.items[c], value_get(value_item(list, i), table.columns.items[c]));
    table.left_out = value_count(list) - table.rows;
    if (table.rows != 0)
        *ARENA_PUSH(arena, &chapter->tables) = table;
}

/* Steps are shown as a timeline, not a second time as a table. */
static bool is_timeline(struct str key)
{
    return str_is(key, "phases") || str_is(key, "steps") || str_is(key, "timeline");
}

/* Many counts under names, such as objects per rule. */
static bool is_tally(const struct value *map, int depth)
{
    MEMBER_EACH(member, map)
        if (!is_scalar(&member->value))
            return false;
    return depth > 0 && value_is(map, VALUE_MAP) && value_count(map) > TALLY_FROM;
}

static void take_tally(struct arena *arena, struct chapter *chapter, struct str label,
                       const struct value *map)
{
    struct fact_table table = {.title = label};
    *ARENA_PUSH(arena, &table.columns) = STR("name");
    *ARENA_PUSH(arena, &table.columns) = STR("value");
    MEMBER_EACH(member, map) {
        if (table.rows == CHAPTER_MAX_ROWS)
            break;
        *ARENA_PUSH(arena, &table.cells) = member->key;
        *ARENA_PUSH(arena, &table.cells) = words_value(arena, member->key, &member->value);
        table.rows++;
    }
    table.left_out = value_count(map) - table.rows;
    *ARENA_PUSH(arena, &chapter->tables) = table;
}

static void take_map(struct arena *arena, struct chapter *chapter, struct str label, const struct value *map,
                     int depth)
{
    MEMBER_EACH(member, map) {
        if (depth == 0 && is_timeline(member->key) && value_is(&member->value, VALUE_LIST))
            continue;
        struct str name = words_label(arena, member->key);
        struct str full = label.len ? str_fmt(arena, "%.*s: %.*s", STR_ARG(label), STR_ARG(name)) : name;
        take(arena, chapter, full, member->key, &member->value, depth + 1);
    }
}

static void take(struct arena *arena, struct chapter *chapter, struct str label, struct str key,
                 const struct value *value, int depth)
{
    if (depth > CHAPTER_MAX_DEPTH || value_is(value, VALUE_NULL))
        return;
    if (is_tally(value, depth))
        take_tally(arena, chapter, label, value);
    else if (value_is(value, VALUE_MAP))
        take_map(arena, chapter, label, value, depth);
    else if (is_scalar(value))
        push_fact(arena, chapter, label, words_value(arena, key, value));
    else if (value_count(value) != 0 && is_scalar(value_item(value, 0)))
        take_scalars(arena, chapter, label, value);
    else
        take_table(arena, chapter, label, value);
}

/* "transform" becomes "Transform". */
static struct str title_of(struct arena *arena, struct str key)
{
    char *text = (char *)str_c(arena, words_label(arena, key));
    if (text[0] >= 'a' && text[0] <= 'z')
        text[0] = (char)(text[0] - 'a' + 'A');
    return str_of(text);
}

void chapter_of(struct arena *arena, struct str key, const struct value *section, struct chapter *ret)
{
    *ret = (struct chapter){.key = key, .title = title_of(arena, key)};
    if (is_scalar(section))
        push_fact(arena, ret, ret->title, words_value(arena, key, section));
    else
        take(arena, ret, STR_NONE, key, section, 0);
}
