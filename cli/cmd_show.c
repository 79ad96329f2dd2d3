/* show: what one backup holds, from its manifest alone. */
#include <inttypes.h>

#include "backupd/catalog.h"
#include "backupd/part.h"
#include "cli/cli.h"
#include "core/base/json.h"

static void print_line(struct buf *out, const struct value *result, const char *label, const char *key)
{
    struct str text = value_text(value_key(result, key));
    if (text.len != 0)
        buf_fmt(out, " %-17s %.*s\n", label, STR_ARG(text));
}

static void print_types(struct buf *out, const struct value *types)
{
    VALUE_EACH(type, types) {
        struct str missing = value_str(value_key(type, "missing"));
        struct str group = value_str(value_key(type, "group"));
        int64_t count = 0;
        value_i64(value_key(type, "objects"), &count);
        if (count == 0 && missing.len == 0)
            continue;
        struct str why = value_str(value_key(type, "why"));
        buf_fmt(out, "  %6" PRId64 "  %.*s%s%.*s  %.*s%s%.*s%s%s%.*s\n", count,
                STR_ARG(value_str(value_key(type, "plural"))), group.len ? "." : "", STR_ARG(group),
                STR_ARG(value_str(value_key(type, "consistency"))), why.len ? ": " : "", STR_ARG(why),
                missing.len && why.len ? "; " : "", missing.len ? "MISSING: " : "", STR_ARG(missing));
    }
}

/* A namespace has one pack or several; those of one follow each other. */
static void print_namespaces(struct cli *cli, const struct value *packs, struct buf *out)
{
    size_t count = value_count(packs);
    for (size_t i = 0; i < count;) {
        struct str part = value_str(value_key(value_item(packs, i), "part"));
        struct str namespace = value_str(value_key(value_item(packs, i), "namespace"));
        int64_t entries = 0, bytes = 0, number = 0;
        for (; i < count && str_eq(value_str(value_key(value_item(packs, i), "part")), part) &&
               str_eq(value_str(value_key(value_item(packs, i), "namespace")), namespace);
             i++) {
            entries += value_i64(value_key(value_item(packs, i), "entries"), &number) ? number : 0;
            bytes += value_i64(value_key(value_item(packs, i), "bytes"), &number) ? number : 0;
        }
        buf_fmt(out, "  %6" PRId64 "  %.*s  %.*s\n", entries,
                STR_ARG(namespace.len             ? namespace
                        : str_is(part, "cluster") ? STR("(cluster-scoped)")
                                                  : STR("(discovery and OpenAPI)")),
                STR_ARG(cli_bytes(cli->arena, (uint64_t)bytes)));
    }
}

static void print_show(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct value *cluster = value_key(result, "cluster");
    print_line(out, result, "manifests", "path");
    print_line(out, result, "backup", "id");
    print_line(out, cluster, "cluster", "name");
    print_line(out, cluster, "server", "version");
    print_line(out, result, "taken at", "takenAt");
    print_line(out, result, "resourceVersion", "resourceVersion");
    print_line(out, result, "complete", "complete");
    print_line(out, result, "objects", "objects");
    if (value_key(result, "selection") != NULL)
        buf_fmt(out, " %-17s %.*s\n", "selection",
                STR_ARG(json_text(cli->arena, value_key(result, "selection"))));
    if (value_key(result, "packs") != NULL)
        buf_fmt(out, " %-17s %zu\n", "packs", value_count(value_key(result, "packs")));
    cli_write_hooks(cli, value_key(result, "hooks"), out);
    if (value_key(result, "packs") != NULL)
        buf_text(out, " namespaces:\n");
    print_namespaces(cli, value_key(result, "packs"), out);
    buf_text(out, " types with objects:\n");
    print_types(out, value_key(result, "types"));
}

/* The same for manifests: a count per type, from the objects themselves. */
static bool show_path(struct cli *cli, struct str path, struct err *err)
{
    struct arena *arena = cli->arena;
    struct value_list_builder types = {0};
    struct bundle bundle;
    if (!cli_load(cli, path, &bundle, err))
        return false;
    for (size_t i = 0; i < bundle.types.count; i++) {
        const struct resource_type *type = &bundle.types.items[i];
        int64_t count = 0;
        for (size_t j = 0; j < bundle.count; j++)
            count += str_eq(bundle.items[j].kind, type->kind) &&
                     str_eq(resource_group(&bundle.items[j]), type->group);
        if (count != 0)
            value_push(arena, &types,
                       VALUE_MAP(arena, {"group", value_string(arena, type->group)},
                                 {"version", value_string(arena, type->version)},
                                 {"kind", value_string(arena, type->kind)},
                                 {"plural", value_string(arena, type->plural)},
                                 {"objects", value_int(arena, count)}));
    }
    const struct value *result = VALUE_MAP(
        arena, {"path", value_string(arena, path)}, {"complete", value_bool(arena, bundle.complete)},
        {"objects", value_int(arena, (int64_t)bundle.count)}, {"types", value_list_done(arena, &types)});
    return cli_print(cli, result, print_show, err);
}

/* ---- what a hook has left ---- */

static bool write_piece(void *ctx, struct str path, struct str body, struct err *err)
{
    return cli_write_out(body, err);
}

/* The pack is fetched and its hash proved before the first byte goes out. */
static bool extract(struct cli *cli, const struct manifest *manifest, struct str name, struct err *err)
{
    struct str_list there = {0};
    for (size_t i = 0; i < manifest->packs.count; i++) {
        const struct manifest_pack *pack = &manifest->packs.items[i];
        if (pack->part != MANIFEST_HOOK)
            continue;
        if (str_eq(pack->hook, name))
            return part_stream(&cli->run, pack, write_piece, NULL, err);
        *ARENA_PUSH(cli->arena, &there) = pack->hook;
    }
    struct str all = str_join(cli->arena, there.items, there.count, STR(", "));
    err_set(err, ERR_NOT_FOUND, "backup %.*s holds no output of hook \"%.*s\"", STR_ARG(manifest->id),
            STR_ARG(name));
    if (there.count == 0)
        return err_next(err, "it holds none at all: a hook keeps it with output: true");
    return err_next(err, "it holds that of: %.*s", STR_ARG(str_slice(all, 0, 400)));
}

bool cmd_show(struct cli *cli, struct err *err)
{
    struct str which;
    struct catalog_entry entry;
    struct manifest manifest;
    if (!cli_argument(cli, 0, &which, err))
        return false;
    if (cli_is_path(cli, which) && cli_has(cli, OPTION_HOOK))
        return err_set(err, ERR_USAGE, "--hook wants a backup of a store, not a folder or a file");
    if (cli_is_path(cli, which))
        return show_path(cli, which, err);
    if (!cli_need_store(cli, err) ||
        !catalog_find(cli->run.store, cli->arena, cli_cluster(cli, which), which, &entry, err) ||
        !manifest_fetch(cli->run.store, cli->arena, entry.key, &manifest, err))
        return false;
    if (cli_has(cli, OPTION_HOOK))
        return extract(cli, &manifest, cli_option(cli, OPTION_HOOK), err);
    return cli_print(cli, manifest_value(cli->arena, &manifest), print_show, err);
}
