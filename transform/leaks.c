#include "transform/leaks.h"

#include "core/base/pointer.h"
#include "core/secrets/leak.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct leaks {
    struct run *run;
    const struct leak_index *index; /* NULL: there is nothing to find */
};

struct looking {
    struct run *run;
    const struct leak_index *index;
    const struct resource *resource;
    struct arena *scratch;
};

static void tell(struct looking *looking, const char *check, enum severity severity, struct str path,
                 struct str message, const char *fix)
{
    struct run *run = looking->run;
    struct finding finding = finding_about(run->arena, looking->resource, check, severity, message, fix);
    finding.path = path;
    *ARENA_PUSH(run->arena, &run->findings) = finding;
}

/* A value of the Secret itself, in a label or annotation of it, counts too. */
static void look_at_text(struct looking *looking, struct str pointer, struct str text)
{
    struct arena *arena = looking->run->arena;
    struct leak_hit hit;
    if (!leak_find(looking->index, text, &hit))
        return;
    looking->run->readable++;
    tell(
        looking, "secrets.readable", SEVERITY_ERROR, pointer_dotted(arena, pointer),
        str_fmt(arena, "holds the value of key %.*s of Secret %.*s/%.*s%s", STR_ARG(hit.key),
                STR_ARG(hit.namespace), STR_ARG(hit.name), hit.encoded ? ", in base64" : ""),
        "refer to the Secret there (secretKeyRef, a volume), and change the value: whoever reads this object "
        "knows it");
}

static void look_at(struct looking *looking, struct str pointer, const struct value *value)
{
    struct arena *scratch = looking->scratch;
    size_t index = 0;
    if (value_is(value, VALUE_STRING))
        look_at_text(looking, pointer, value_str(value));
    MEMBER_EACH(member, value)
        look_at(looking, pointer_child(scratch, pointer, member->key), &member->value);
    VALUE_EACH(item, value)
        look_at(looking, pointer_index(scratch, pointer, index++), item);
}

static bool holds_any(const struct looking *looking, const struct value *value)
{
    struct leak_hit ignored;
    if (value_is(value, VALUE_STRING))
        return leak_find(looking->index, value_str(value), &ignored);
    MEMBER_EACH(member, value)
        if (holds_any(looking, &member->value))
            return true;
    VALUE_EACH(item, value)
        if (holds_any(looking, item))
            return true;
    return false;
}

/* A first pass without addresses: nearly every object holds nothing. */
static void look_through(struct looking *looking, struct str pointer, const struct value *value)
{
    if (!holds_any(looking, value))
        return;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    looking->scratch = scratch;
    look_at(looking, pointer, value);
}

/* It is left out of what is written; the cluster shows it to whoever reads the object. */
static void look_at_last_applied(struct looking *looking)
{
    struct str text = value_str_in(looking->resource->object, PATH("metadata", "annotations", LAST_APPLIED));
    struct leak_hit hit;
    const char *form = NULL;
    if (text.len == 0 || resource_is(looking->resource, "", "Secret"))
        return;
    if (leak_find(looking->index, text, &hit))
        tell(looking, "secrets.last-applied", SEVERITY_WARNING, STR("metadata.annotations"),
             str_fmt(looking->run->arena,
                     LAST_APPLIED " holds the value of key %.*s of Secret %.*s/%.*s; it is left out here",
                     STR_ARG(hit.key), STR_ARG(hit.namespace), STR_ARG(hit.name)),
             "remove the annotation from the cluster's object and apply with --server-side");
    else if ((form = leak_form(text)) != NULL)
        tell(looking, "secrets.last-applied", SEVERITY_WARNING, STR("metadata.annotations"),
             str_fmt(looking->run->arena, LAST_APPLIED " holds %s; it is left out here", form),
             "remove the annotation from the cluster's object and apply with --server-side");
}

static bool take_in(void *ctx, const struct resource *secret, struct err *err)
{
    leak_index_add(ctx, secret);
    return true;
}

bool leaks_open(struct run *run, const struct parts *live, struct leaks **ret_leaks, struct err *err)
{
    struct leak_index *index = leak_index_new(run->arena);
    if (!parts_each(live, "", "Secret", take_in, index, err))
        return false;
    struct leaks *leaks = ARENA_NEW(run->arena, struct leaks);
    *leaks = (struct leaks){run, leak_index_seal(index)};
    run->readable = 0;
    *ret_leaks = leaks;
    return true;
}

void leaks_look(struct leaks *leaks, const struct bundle *live, const struct bundle *declared,
                const struct bundle *set_aside)
{
    struct looking looking = {.run = leaks->run, .index = leaks->index};
    for (size_t i = 0; i < declared->count && looking.index != NULL; i++) {
        looking.resource = &declared->items[i];
        look_through(&looking, STR_NONE, looking.resource->object);
    }
    for (size_t i = 0; i < set_aside->count && looking.index != NULL; i++) {
        looking.resource = &set_aside->items[i];
        look_through(&looking, STR("/metadata"), value_key(looking.resource->object, "metadata"));
    }
    for (size_t i = 0; i < live->count; i++) {
        looking.resource = &live->items[i];
        look_at_last_applied(&looking);
    }
}
