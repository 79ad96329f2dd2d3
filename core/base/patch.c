#include "core/base/patch.h"

#include "core/base/pointer.h"

/* "copy" can double a tree with every operation, so what operations insert is measured: how deep it then lies and
 * how many values all of them add up to. */
enum { MAX_DEPTH = 200, MAX_VALUES = 4 * 1024 * 1024 };

struct patcher {
    struct arena *arena;
    const struct value *root;
    size_t values_left;
    struct err *err;
};

struct operation {
    struct str op, path, from;
    const struct value *value;
};

static bool measure(struct patcher *p, const struct value *value, size_t depth)
{
    if (depth > MAX_DEPTH)
        return err_set(p->err, ERR_LIMIT, "the result would be nested deeper than %d", MAX_DEPTH);
    if (p->values_left-- == 0)
        return err_set(p->err, ERR_LIMIT, "the patch inserts more than %d values", MAX_VALUES);
    VALUE_EACH(item, value)
        if (!measure(p, item, depth + 1))
            return false;
    MEMBER_EACH(member, value)
        if (!measure(p, &member->value, depth + 1))
            return false;
    return true;
}

static bool insert(struct patcher *p, const struct operation *o, const struct value *value)
{
    size_t depth = 0;
    for (size_t i = 0; i < o->path.len; i++)
        depth += o->path.ptr[i] == '/';
    return measure(p, value, depth) && pointer_add(p->arena, p->root, o->path, value, &p->root, p->err);
}

static bool op_add(struct patcher *p, const struct operation *o)
{
    return insert(p, o, o->value);
}

static bool op_remove(struct patcher *p, const struct operation *o)
{
    return pointer_remove(p->arena, p->root, o->path, &p->root, p->err);
}

static bool op_replace(struct patcher *p, const struct operation *o)
{
    return measure(p, o->value, 0) && pointer_replace(p->arena, p->root, o->path, o->value, &p->root, p->err);
}

static const struct value *from_there(struct patcher *p, const struct operation *o)
{
    const struct value *value = pointer_get(p->root, o->from);
    if (value == NULL)
        err_set(p->err, ERR_NOT_FOUND, "nothing at %.*s", STR_ARG(o->from));
    return value;
}

static bool op_copy(struct patcher *p, const struct operation *o)
{
    const struct value *value = from_there(p, o);
    return value != NULL && insert(p, o, value);
}

static bool op_move(struct patcher *p, const struct operation *o)
{
    const struct value *value = from_there(p, o);
    if (value == NULL)
        return false;
    if (o->path.len > o->from.len && str_starts(o->path, o->from) && o->path.ptr[o->from.len] == '/')
        return err_set(p->err, ERR_INVALID, "cannot move %.*s into itself", STR_ARG(o->from));
    return pointer_remove(p->arena, p->root, o->from, &p->root, p->err) && insert(p, o, value);
}

static bool op_test(struct patcher *p, const struct operation *o)
{
    const struct value *there = pointer_get(p->root, o->path);
    if (there == NULL)
        return err_set(p->err, ERR_NOT_FOUND, "nothing at %.*s", STR_ARG(o->path));
    return value_equal(there, o->value) ||
           err_set(p->err, ERR_INVALID, "the value at %.*s is another one", STR_ARG(o->path));
}

static const struct op_row {
    const char *name;
    bool (*apply)(struct patcher *p, const struct operation *o);
    bool needs_value, needs_from;
} ops[] = {
    {"add", op_add, true, false},   {"remove", op_remove, false, false}, {"replace", op_replace, true, false},
    {"move", op_move, false, true}, {"copy", op_copy, false, true},      {"test", op_test, true, false},
};

static const struct op_row *op_row(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        if (str_is(name, ops[i].name))
            return &ops[i];
    return NULL;
}

static bool apply(struct patcher *p, const struct value *entry)
{
    struct operation o = {value_str(value_key(entry, "op")), value_str(value_key(entry, "path")),
                          value_str(value_key(entry, "from")), value_key(entry, "value")};
    const struct op_row *row = op_row(o.op);
    if (row == NULL)
        return err_set(p->err, ERR_INVALID, "op must be add, remove, replace, move, copy or test");
    if (!value_is(value_key(entry, "path"), VALUE_STRING))
        return err_set(p->err, ERR_INVALID, "%s: path is missing", row->name);
    if (row->needs_from && !value_is(value_key(entry, "from"), VALUE_STRING))
        return err_set(p->err, ERR_INVALID, "%s: from is missing", row->name);
    if (row->needs_value && o.value == NULL)
        return err_set(p->err, ERR_INVALID, "%s: value is missing", row->name);
    return row->apply(p, &o) || err_context(p->err, "%s", row->name);
}

bool patch_json(struct arena *arena, const struct value *root, const struct value *operations,
                const struct value **ret_root, struct err *err)
{
    struct patcher p = {.arena = arena, .root = root, .values_left = MAX_VALUES, .err = err};
    size_t number = 0;
    if (!value_is(operations, VALUE_LIST))
        return err_set(err, ERR_INVALID, "a JSON patch is a list of operations");
    VALUE_EACH(entry, operations) {
        if (!apply(&p, entry))
            return err_context(err, "operation %zu", number);
        number++;
    }
    *ret_root = p.root;
    return true;
}

const struct value *patch_merge(struct arena *arena, const struct value *root, const struct value *patch)
{
    if (!value_is(patch, VALUE_MAP))
        return patch;
    const struct value *merged = value_is(root, VALUE_MAP) ? root : VALUE_MAP(arena, {"", NULL});
    MEMBER_EACH(member, patch) {
        if (member->value.kind == VALUE_NULL) {
            merged = value_without(arena, merged, member->key);
            continue;
        }
        const struct value *old = value_get(merged, member->key);
        const struct value *now = patch_merge(arena, old, &member->value);
        if (now != old)
            merged = value_with(arena, merged, member->key, now);
    }
    return merged;
}
