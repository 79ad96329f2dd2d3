#include "overlays/writer.h"

#include "core/base/yaml.h"
#include "core/config/config.h"

enum { WRITER_MAX_FILE = 64 << 20 };

static bool add(struct writer *writer, struct str path, const struct buf *text)
{
    if (!buf_ok(text))
        return err_set(writer->err, ERR_LIMIT, "%.*s is larger than %d bytes", STR_ARG(path),
                       WRITER_MAX_FILE);
    return files_add(writer->arena, &writer->run->files, path, str_dup(writer->arena, buf_view(text)),
                     writer->err);
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
    struct buf text CLEANUP(buf_done);
    buf_init(&text, WRITER_MAX_FILE);
    write_comment(&text, comment);
    yaml_write(&text, document);
    return add(writer, path, &text);
}

bool writer_documents(struct writer *writer, struct str path, struct str comment,
                      const struct value_list_builder *documents)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, WRITER_MAX_FILE);
    write_comment(&text, comment);
    for (size_t i = 0; i < documents->count; i++) {
        if (i > 0)
            buf_text(&text, "---\n");
        yaml_write(&text, &documents->items[i]);
    }
    return add(writer, path, &text);
}

bool writer_text(struct writer *writer, struct str path, const struct buf *text)
{
    return add(writer, path, text);
}

bool writer_kustomization(struct writer *writer, struct str folder, const struct value *resources,
                          const struct value *patches, const struct value *annotations)
{
    struct arena *arena = writer->arena;
    const struct value *document =
        VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "kustomize.config.k8s.io/v1beta1")},
                  {"kind", value_cstr(arena, "Kustomization")}, {"resources", resources},
                  {"commonAnnotations", annotations}, {"patches", value_count(patches) ? patches : NULL});
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
    MEMBER_EACH(member, map)
    {
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
