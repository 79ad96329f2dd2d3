#include "overlays/writer.h"

#include "core/base/sha256.h"
#include "core/base/yaml.h"
#include "core/config/config.h"

enum { WRITER_MAX_FILE = 64 << 20 };

static bool add(struct writer *writer, struct str path, const struct buf *text)
{
    if (!buf_ok(text))
        return err_set(writer->err, ERR_LIMIT, "%.*s is larger than %d bytes", STR_ARG(path),
                       WRITER_MAX_FILE);
    return files_out_add(writer->out, path, buf_view(text), writer->err);
}

void writer_open(struct writer *writer, struct buf *text)
{
    buf_init(text, WRITER_MAX_FILE);
    writer->text = text;
}

static void write_comment(struct buf *text, struct str comment)
{
    while (comment.len != 0) {
        struct str line = str_cut(&comment, '\n');
        buf_fmt(text, "# %.*s\n", STR_ARG(line));
    }
}

bool writer_document(struct writer *writer, struct str path, struct str comment, const struct value *document)
{
    buf_clear(writer->text);
    write_comment(writer->text, comment);
    yaml_write(writer->text, document);
    return add(writer, path, writer->text);
}

bool writer_documents(struct writer *writer, struct str path, struct str comment,
                      const struct value_list_builder *documents)
{
    struct buf *text = writer->text;
    buf_clear(text);
    write_comment(text, comment);
    for (size_t i = 0; i < documents->count; i++) {
        if (i > 0)
            buf_text(text, "---\n");
        yaml_write(text, &documents->items[i]);
    }
    return add(writer, path, text);
}

bool writer_text(struct writer *writer, struct str path, const struct buf *text)
{
    return add(writer, path, text);
}

bool writer_kustomization(struct writer *writer, struct str folder, const struct value *resources,
                          const struct value *patches)
{
    struct arena *arena = writer->arena;
    const struct value *document =
        VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "kustomize.config.k8s.io/v1beta1")},
                  {"kind", value_cstr(arena, "Kustomization")}, {"resources", resources},
                  {"patches", value_count(patches) ? patches : NULL});
    return writer_document(writer, str_fmt(arena, "%.*s/kustomization.yaml", STR_ARG(folder)), STR_NONE,
                           document);
}

static const struct value *first_keys(struct arena *arena, const struct value *map, const char *const *first)
{
    struct value_map_builder ordered = {0};
    for (const char *const *key = first; *key != NULL; key++) {
        const struct value *value = value_key(map, *key);
        if (value != NULL)
            value_put(arena, &ordered, str_of(*key), value);
    }
    MEMBER_EACH(member, map) {
        const char *const *key = first;
        while (*key != NULL && !str_is(member->key, *key))
            key++;
        if (*key == NULL)
            value_put(arena, &ordered, member->key, &member->value);
    }
    return value_map_done(arena, &ordered);
}

const struct value *writer_ordered(struct arena *arena, const struct value *object)
{
    const struct value *metadata = value_key(object, "metadata");
    metadata = first_keys(arena, metadata, PATH("name", "namespace", "labels", "annotations"));
    return first_keys(arena, value_with(arena, object, STR("metadata"), metadata),
                      PATH("apiVersion", "kind", "metadata"));
}

enum { OBJECT_NAME_MAX = 63 };

static struct str only_label_characters(struct arena *arena, struct str text)
{
    char *name = (char *)str_c(arena, str_lower(arena, text));
    for (char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9')))
            *c = '-';
    struct str label = str_of(name);
    while (label.len != 0 && label.ptr[0] == '-')
        label = str_from(label, 1);
    while (label.len != 0 && label.ptr[label.len - 1] == '-')
        label.len--;
    return label;
}

static bool named_like_a_part(struct str namespace)
{
    return str_is(namespace, "crds") || str_is(namespace, "cluster") || str_is(namespace, "gates") ||
           str_is(namespace, "source");
}

struct str writer_object_name(struct writer *writer, struct str prefix, const struct layout_group *group)
{
    struct arena *arena = writer->arena;
    struct str part = group ? group->name : STR_NONE, whole = prefix;
    if (group != NULL)
        whole = str_fmt(arena, "%.*s-%s%.*s", STR_ARG(prefix),
                        !layout_is_cluster(group) && named_like_a_part(part) ? "namespace-" : "",
                        STR_ARG(str_from(part, layout_is_cluster(group))));
    struct str label = only_label_characters(arena, whole);
    if (label.len <= OBJECT_NAME_MAX)
        return label.len ? label : STR("cluster");
    struct sha256 sum = sha256_of(whole);
    struct str hash = sha256_hex(arena, &sum);
    return str_fmt(arena, "%.*s-%.*s", STR_ARG(str_slice(label, 0, OBJECT_NAME_MAX - 9)),
                   STR_ARG(str_slice(hash, 0, 8)));
}

/* .invalid never resolves: an entry point that was not configured fails loudly and at once. */
struct str writer_git_url(struct writer *writer)
{
    struct str url = writer->run->config->git_url;
    if (url.len == 0)
        return STR("https://git.invalid/set-git.url-in-gitops-pipe.yaml.git");
    if (url.ptr[0] == '/')
        return str_fmt(writer->arena, "file://%.*s", STR_ARG(url));
    return url;
}

bool writer_delivers(const struct writer *writer, const char *how)
{
    const struct str_list *deliver = &writer->run->config->deliver;
    return str_in(str_of(how), deliver->items, deliver->count);
}

/* A target's name is a regular expression, and '.' is the one character of names that means something there. */
struct str writer_literal(struct arena *arena, struct str name)
{
    struct str_list parts = {0};
    while (str_find(name, '.') < name.len)
        *ARENA_PUSH(arena, &parts) = str_cut(&name, '.');
    *ARENA_PUSH(arena, &parts) = name;
    return str_join(arena, parts.items, parts.count, STR("\\."));
}
