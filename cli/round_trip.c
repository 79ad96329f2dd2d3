/* The round trip of convert --verify and of run: what was written is rendered, and every difference to the snapshot must
 * have a name. Both sides are held one namespace at a time: the rules run once more over the snapshot, with a log, and
 * folders are read back. */
#include <inttypes.h>

#include "cli/cli.h"
#include "overlays/verify.h"
#include "transform/verify.h"

struct round_trip {
    struct run run; /* with findings of its own: those of the rules are told already */
    const struct parts *live;
    const struct files_in *files;
    struct transform *transform;
    struct verification verification;
    struct bundle
        namespaces; /* they stand in the folders of their own, and in the cluster-scoped part of the snapshot */
    struct value_list_builder unexplained;
};

static void append(struct round_trip *trip, const struct value_list_builder *from)
{
    for (size_t i = 0; i < from->count; i++)
        value_push(trip->run.arena, &trip->unexplained, value_copy(trip->run.arena, &from->items[i]));
}

/* Renders a folder of the base into `written`; its Namespace is kept for later. */
static bool read_folder(struct round_trip *trip, struct arena *arena, struct str folder,
                        struct bundle *written, struct err *err)
{
    struct value_list_builder problems = {0};
    struct bundle base;
    if (!overlays_render_base(arena, trip->files, folder, &base, &problems, err))
        return false;
    append(trip, &problems);
    for (size_t i = 0; i < base.count; i++) {
        const struct resource *resource = &base.items[i];
        struct resource kept;
        if (!resource_is(resource, "", "Namespace"))
            bundle_add(written, resource);
        else if (resource_from(value_copy(trip->run.arena, resource->object), STR("base"), &kept, err))
            bundle_add(&trip->namespaces, &kept);
        else
            return false;
    }
    return true;
}

/* Holds a part of the snapshot, or that it has none, against what is written of it. */
static bool verify_part(struct round_trip *trip, struct arena *arena, size_t part, struct bundle *written,
                        struct err *err)
{
    static const struct transform_log nothing;
    struct transform_log log = nothing;
    struct bundle declared, secrets;
    struct verification found = trip->verification;
    if (part < trip->live->count) {
        if (!transform_part(trip->transform, part, arena, &declared, &secrets, err))
            return false;
        log = *transform_log_of(trip->transform);
    }
    found.unexplained = (struct value_list_builder){0};
    bundle_sort(written);
    transform_verify(arena, &log, written, &found);
    append(trip, &found.unexplained);
    trip->verification.objects = found.objects;
    trip->verification.explained = found.explained;
    return true;
}

static bool verify_namespace(struct round_trip *trip, struct str namespace, bool has_folder, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct bundle written;
    bundle_init(&written, arena);
    return (!has_folder || read_folder(trip, arena, namespace, &written, err)) &&
           verify_part(trip, arena, parts_find(trip->live, namespace), &written, err);
}

/* Last, since the Namespaces belong to it. */
static bool verify_cluster(struct round_trip *trip, const struct str_list *folders, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct bundle written;
    bundle_init(&written, arena);
    for (size_t i = 0; i < folders->count; i++)
        if (str_starts(folders->items[i], STR("_")) &&
            !read_folder(trip, arena, folders->items[i], &written, err))
            return false;
    for (size_t i = 0; i < trip->namespaces.count; i++)
        bundle_add(&written, &trip->namespaces.items[i]);
    return verify_part(trip, arena, parts_find(trip->live, STR_NONE), &written, err);
}

static bool verify_base(struct round_trip *trip, struct err *err)
{
    struct str_list folders;
    if (!files_in_folders(trip->files, trip->run.arena, STR("base"), &folders, err))
        return false;
    for (size_t i = 0; i < folders.count; i++)
        if (!str_starts(folders.items[i], STR("_")) && !verify_namespace(trip, folders.items[i], true, err))
            return false;
    for (size_t i = 0; i < trip->live->count; i++) {
        struct str namespace = trip->live->items[i].namespace;
        if (namespace.len != 0 && !str_in(namespace, folders.items, folders.count) &&
            !verify_namespace(trip, namespace, false, err))
            return false;
    }
    return verify_cluster(trip, &folders, err);
}

static bool verify_environments(struct round_trip *trip, const struct parts *secrets,
                                struct value_list_builder *sections, struct err *err)
{
    struct arena *arena = trip->run.arena;
    const struct config_environments *environments = &trip->run.config->environments;
    struct value_list_builder told_before = {0};
    struct bundle base;
    if (!overlays_outline_base(arena, trip->files, trip->live->objects, &base, &told_before, err))
        return false;
    base.types = trip->live->about->types;
    for (size_t i = 0; i < environments->count; i++) {
        struct overlays_verification result;
        const struct config_environment *environment = &environments->items[i];
        if (!overlays_verify(&trip->run, trip->files, &base, secrets, environment, &result, err))
            return false;
        append(trip, &result.unexplained);
        value_push(arena, sections,
                   VALUE_MAP(arena, {"name", value_string(arena, environment->name)},
                             {"steps", value_map_done(arena, &result.steps)}));
    }
    return true;
}

bool cli_round_trip(struct cli *cli, const struct parts *live, const struct parts *secrets,
                    const struct files_in *files, const struct value **ret_section, struct err *err)
{
    struct arena *arena = cli->arena;
    struct round_trip trip = {.run = cli->run, .live = live, .files = files};
    struct value_list_builder sections = {0};
    trip.run.findings = (struct findings){0};
    verification_init(arena, &trip.verification);
    bundle_init(&trip.namespaces, arena);
    if (!transform_open(&trip.run, live, true, &trip.transform, err) || !verify_base(&trip, err) ||
        !verify_environments(&trip, secrets, &sections, err))
        return err_context(err, "round trip");
    *ret_section = VALUE_MAP(arena, {"objects", value_int(arena, (int64_t)trip.verification.objects)},
                             {"explained", value_int(arena, (int64_t)trip.verification.explained)},
                             {"rules", verification_rules(arena, &trip.verification)},
                             {"environments", value_list_done(arena, &sections)},
                             {"unexplained", value_list_done(arena, &trip.unexplained)});
    return true;
}

bool cli_round_trip_gate(const struct value *section, struct err *err)
{
    size_t count = value_count(value_key(section, "unexplained"));
    if (count == 0)
        return true;
    err_set(err, ERR_FINDINGS, "round trip: %zu unexplained difference%s", count, count == 1 ? "" : "s");
    return err_next(
        err, "do not deploy from these files: a file was changed after it was written, or a rule is at fault "
             "(convert --explain shows what it says); report it with the list");
}

enum { LISTED = 50 };

void cli_write_round_trip(struct cli *cli, const struct value *section, struct buf *out)
{
    const struct value *unexplained = value_key(section, "unexplained");
    int64_t objects = 0, explained = 0;
    size_t listed = 0;
    value_i64(value_key(section, "objects"), &objects);
    value_i64(value_key(section, "explained"), &explained);
    buf_fmt(
        out,
        " round trip: %zu unexplained differences; %.*s objects, %.*s differences explained by %zu rules\n",
        value_count(unexplained), STR_ARG(cli_thousands(cli->arena, (uint64_t)objects)),
        STR_ARG(cli_thousands(cli->arena, (uint64_t)explained)), value_count(value_key(section, "rules")));
    VALUE_EACH(environment, value_key(section, "environments")) {
        buf_fmt(out, "   %.*s:", STR_ARG(value_str(value_key(environment, "name"))));
        const struct value *steps = value_key(environment, "steps");
        MEMBER_EACH(step, steps)
            buf_fmt(out, " %.*s %.*s", STR_ARG(step->key), STR_ARG(value_text(&step->value)));
        buf_text(out, value_count(steps) ? "\n" : " the base, unchanged\n");
    }
    VALUE_EACH(item, unexplained) {
        struct str path = value_str(value_key(item, "path"));
        if (listed++ == LISTED) {
            buf_fmt(out, "   … and %zu more (--output json lists all)\n", value_count(unexplained) - LISTED);
            return;
        }
        buf_fmt(out, " %s %.*s%s%.*s: %.*s\n", cli_mark(cli, false),
                STR_ARG(value_str(value_key(item, "resource"))), path.len ? " " : "", STR_ARG(path),
                STR_ARG(value_str(value_key(item, "what"))));
    }
}
