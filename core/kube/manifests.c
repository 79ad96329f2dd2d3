/* Manifests as people keep them: files and folders of YAML and JSON. What cannot be read is named and left out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/yaml.h"
#include "core/kube/stash.h"

enum { MAX_MANIFEST_BYTES = 512 << 20 };

/* Objects go into a bundle, or one by one into a stash. */
struct reading {
    struct bundle *about; /* types and problems; also the objects where there is no stash */
    struct stash *stash;
    struct arena *arena; /* of trees and origins: the bundle's, or one for each file */
    struct str name;
    size_t documents; /* seen so far, also those that turned out to be no objects */
    size_t objects;
    struct err full; /* why the stash took no more, which is the end */
};

static void problem(struct reading *reading, const char *text)
{
    struct bundle *about = reading->about;
    *ARENA_PUSH(about->arena, &about->problems) = str_fmt(about->arena, "%s", text);
}

static bool is_list(const struct value *object)
{
    struct str kind = value_str(value_key(object, "kind"));
    return str_ends(kind, STR("List")) && value_is(value_key(object, "items"), VALUE_LIST);
}

/* Kustomizations describe how to build, they are no objects of a cluster. */
static bool is_kustomization(const struct value *object)
{
    return str_starts(value_str(value_key(object, "apiVersion")), STR("kustomize.config.k8s.io/"));
}

/* Items of a typed list (DeploymentList) need not say what they are: the list does. */
static const struct value *item_of_list(struct arena *arena, const struct value *list,
                                        const struct value *item)
{
    struct str kind = value_str(value_key(list, "kind"));
    const struct value *api_version = value_key(list, "apiVersion");
    if (value_key(item, "kind") != NULL || str_is(kind, "List") || api_version == NULL)
        return item;
    struct value_map_builder map = {0};
    value_put(arena, &map, STR("apiVersion"), api_version);
    value_put(arena, &map, STR("kind"), value_string(arena, str_slice(kind, 0, kind.len - 4)));
    MEMBER_EACH(member, item)
        if (!str_is(member->key, "apiVersion"))
            value_put(arena, &map, member->key, &member->value);
    return value_map_done(arena, &map);
}

static void keep(struct reading *reading, const struct resource *resource)
{
    resource_types_add_crd(reading->about->arena, &reading->about->types, resource->object);
    reading->objects++;
    if (reading->stash == NULL)
        bundle_add(reading->about, resource);
    else if (reading->full.code == ERR_NONE && stash_put(reading->stash, resource, &reading->full))
        reading->full.code = ERR_NONE;
}

static bool has_room(const struct reading *reading, struct err *err)
{
    if (reading->full.code == ERR_NONE)
        return true;
    *err = reading->full;
    return false;
}

static void add_object(struct reading *reading, const struct value *object, struct str origin)
{
    struct arena *arena = reading->arena;
    struct resource resource;
    struct err err;
    reading->documents++;
    if (is_kustomization(object))
        return;
    if (is_list(object)) {
        size_t number = 0;
        VALUE_EACH(item, value_key(object, "items"))
            add_object(reading, item_of_list(arena, object, item),
                       str_fmt(arena, "%.*s items[%zu]", STR_ARG(origin), number++));
        return;
    }
    if (resource_from(object, origin, &resource, &err))
        keep(reading, &resource);
    else
        problem(reading, err.msg);
}

static void add_documents(struct reading *reading, const struct yaml_documents *documents)
{
    for (size_t i = 0; i < documents->count; i++) {
        const struct yaml_document *document = &documents->items[i];
        if (document->root->kind == VALUE_NULL) /* only comments between two "---" */
            continue;
        add_object(reading, document->root,
                   str_fmt(reading->arena, "%.*s:%zu", STR_ARG(reading->name), document->line));
    }
}

/* The text up to the next line that starts a document, "---". Nothing inside a document can look like that line. */
static struct str next_chunk(struct str *rest)
{
    size_t end = 0;
    do {
        end += str_find(str_from(*rest, end), '\n') + 1;
    } while (end < rest->len && !(str_starts(str_from(*rest, end), STR("---")) &&
                                  (end + 3 == rest->len || strchr(" \t\r\n", rest->ptr[end + 3]) != NULL)));
    struct str chunk = str_slice(*rest, 0, end);
    *rest = str_from(*rest, end);
    return chunk;
}

static size_t count_lines(struct str text)
{
    size_t lines = 0;
    while (text.len != 0) {
        str_cut(&text, '\n');
        lines++;
    }
    return lines;
}

/* Directives stand before the "---" of their document, so a chunk without content belongs to the next. */
static bool has_content(struct str chunk)
{
    while (chunk.len != 0) {
        struct str line = str_trim(str_cut(&chunk, '\n'));
        if (line.len != 0 && line.ptr[0] != '#' && line.ptr[0] != '%')
            return true;
    }
    return false;
}

/* One document of the stream is malformed: read each on its own, and keep the good ones. */
static void read_piecewise(struct reading *reading, struct str text)
{
    enum { MAX_PIECES = 100000 };
    struct arena *arena = reading->arena;
    size_t line = 1, pieces = 0;
    while (text.len != 0 && pieces++ < MAX_PIECES) {
        struct yaml_documents documents;
        struct err err;
        struct str chunk = next_chunk(&text);
        while (!has_content(chunk) && text.len != 0)
            chunk.len += next_chunk(&text).len;
        if (yaml_parse_at(arena, chunk, reading->name, line, &documents, &err))
            add_documents(reading, &documents);
        else
            problem(reading, err.msg);
        line += count_lines(chunk);
    }
}

/* "JSON: line 2, column 9: why" as every other message about a file has it: "file:2:9: why". */
static bool json_fault(const struct reading *reading, struct err *err)
{
    size_t line, column;
    int rest = 0;
    if (sscanf(err->msg, "JSON: line %zu, column %zu: %n", &line, &column, &rest) < 2 || rest == 0)
        return err_context(err, "%.*s", STR_ARG(reading->name));
    struct err plain = *err;
    return err_set(err, plain.code, "%.*s:%zu:%zu: %s", STR_ARG(reading->name), line, column,
                   plain.msg + rest);
}

static bool read_json(struct reading *reading, struct str text, struct err *err)
{
    const struct value *object;
    if (!json_parse(reading->arena, text, NULL, &object, err))
        return json_fault(reading, err);
    add_object(reading, object, str_fmt(reading->arena, "%.*s:1", STR_ARG(reading->name)));
    return true;
}

static void read_text(struct reading *reading, struct str text)
{
    struct yaml_documents documents;
    struct err err;
    size_t before = reading->documents;
    bool is_json = str_ends(reading->name, STR(".json"));
    bool looks_json = is_json || str_starts(str_trim(text), STR("{"));
    if (looks_json && read_json(reading, text, &err))
        return;
    if (is_json) {
        problem(reading, err.msg);
        reading->documents++;
    } else if (yaml_parse(reading->arena, text, reading->name, &documents, &err)) {
        add_documents(reading, &documents);
    } else {
        read_piecewise(reading, text);
        reading->documents += reading->documents == before;
    }
}

static void add_builtin_types(struct bundle *bundle)
{
    const struct resource_types *builtin = resource_builtin_types();
    for (size_t i = 0; bundle->types.count < builtin->count; i++)
        *ARENA_PUSH(bundle->arena, &bundle->types) = builtin->items[i];
}

/* Nothing readable is a failure only where there was something to read. */
static bool judge(const struct reading *reading, struct err *err)
{
    struct bundle *about = reading->about;
    about->complete = about->problems.count == 0;
    if (reading->objects != 0)
        return has_room(reading, err);
    if (about->problems.count != 0)
        return err_set(err, ERR_INVALID, "%.*s", STR_ARG(about->problems.items[0]));
    if (reading->documents == 0)
        return err_set(err, ERR_INVALID, "%.*s: no manifests in it", STR_ARG(reading->name));
    return true;
}

bool bundle_read_text(struct bundle *bundle, struct str text, struct str name, struct err *err)
{
    struct reading reading = {
        .about = bundle, .arena = bundle->arena, .name = name, .objects = bundle->count};
    if (bundle->types.count == 0)
        add_builtin_types(bundle);
    read_text(&reading, text);
    return judge(&reading, err);
}

static bool is_manifest_path(struct str path)
{
    struct str rest = path, part = STR("");
    while (rest.len != 0) {
        part = str_cut(&rest, '/');
        if (str_starts(part, STR(".")))
            return false;
    }
    if (str_is(part, "kustomization.yaml") || str_is(part, "kustomization.yml") ||
        str_is(part, "Kustomization"))
        return false;
    return str_ends(part, STR(".yaml")) || str_ends(part, STR(".yml")) || str_ends(part, STR(".json"));
}

struct folder {
    struct reading *reading;
    const char *path;
};

static bool read_file_of_folder(void *ctx, struct str path, struct str bytes, struct err *err)
{
    struct folder *folder = ctx;
    struct reading *reading = folder->reading;
    if (reading->stash != NULL)
        arena_reset(reading->arena);
    else
        bytes = str_dup(reading->arena, bytes); /* trees hold views into it */
    reading->name = str_fmt(reading->arena, "%s/%.*s", folder->path, STR_ARG(path));
    read_text(reading, bytes);
    return has_room(reading, err);
}

static bool read_path(struct reading *reading, const char *path, struct err *err)
{
    struct stat info;
    struct str text;
    struct folder folder = {reading, path};
    bool standard_input = strcmp(path, "-") == 0;
    add_builtin_types(reading->about);
    reading->name = str_of(path);
    if (!standard_input && stat(path, &info) != 0)
        return err_errno(err, "%s", path);
    if (!standard_input && S_ISDIR(info.st_mode)) {
        if (!files_each(path, MAX_MANIFEST_BYTES, is_manifest_path, read_file_of_folder, &folder, err))
            return false;
    } else if (file_read(reading->arena, path, MAX_MANIFEST_BYTES, &text, err)) {
        read_text(reading, text);
    } else {
        return false;
    }
    reading->name = str_of(path);
    return judge(reading, err);
}

bool bundle_read_manifests(struct arena *arena, const char *path, struct bundle *ret_bundle, struct err *err)
{
    struct bundle bundle;
    struct reading reading = {.about = &bundle, .arena = arena};
    bundle_init(&bundle, arena);
    if (!read_path(&reading, path, err))
        return false;
    bundle_sort(&bundle);
    *ret_bundle = bundle;
    return true;
}

bool stash_read_manifests(struct arena *arena, const char *dir, const char *path, struct stash **ret_stash,
                          struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct reading reading = {.arena = scratch};
    if (!stash_new(arena, dir, &reading.stash, err))
        return false;
    reading.about = stash_about(reading.stash);
    if (!read_path(&reading, path, err) || !stash_finish(reading.stash, err)) {
        stash_close(reading.stash);
        return false;
    }
    *ret_stash = reading.stash;
    return true;
}
