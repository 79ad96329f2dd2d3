/* writer.h — adding documents to the file tree, in the form people read: known keys first, a comment on top. */
#pragma once
#include "core/base/files_out.h"
#include "core/kube/dependencies.h"
#include "core/run.h"
#include "core/secrets/protect.h"
#include "overlays/facts.h"
#include "overlays/layout.h"

/* What is to be told of the Secrets of a namespace when they are written and gone: those of an environment behind each
 * other, in the same order in each. */
struct secret_notes {
    struct secret_note *items;
    size_t count, cap;
    size_t secrets; /* in each environment */
};

struct writer {
    struct run *run;
    struct arena *arena; /* of documents on their way; may be of one folder only */
    struct files_out *out;
    struct buf *text;           /* of the file at hand; one for all of them */
    const struct bundle *whole; /* all declared objects in outline */
    const struct layout *layout;
    const struct facts *facts;
    const struct dependencies *dependencies; /* of the objects on each other; once all of them were seen */
    struct secret_notes *secrets;            /* for each group of the layout */
    struct err *err;
};

/* `text` is used until the writer goes; buf_done is the caller's. */
void writer_open(struct writer *writer, struct buf *text);

/* Adds one document, after "# comment" lines where `comment` is not empty. False when the path is refused. */
bool writer_document(struct writer *writer, struct str path, struct str comment,
                     const struct value *document);
/* Several documents in one file, each after a "---". */
bool writer_documents(struct writer *writer, struct str path, struct str comment,
                      const struct value_list_builder *documents);
bool writer_text(struct writer *writer, struct str path, const struct buf *text);
/* {apiVersion, kind: Kustomization, resources: …}; `patches` may be NULL. */
bool writer_kustomization(struct writer *writer, struct str folder, const struct value *resources,
                          const struct value *patches);
/* Keys in the order people write them: apiVersion, kind, metadata {name, namespace, labels, annotations}, the rest. */
const struct value *writer_ordered(struct arena *arena, const struct value *object);

/* "<prefix>-<group>" as the name of an object of Argo CD or Flux: a DNS label of at most 63 bytes, since Flux makes it
 * a label. A namespace called "crds" and the group _crds have different names. `group` NULL: the prefix alone. */
struct str writer_object_name(struct writer *writer, struct str prefix, const struct layout_group *group);

/* Secrets (secrets.c). */
/* Notes those of a group, before anything else is asked of it. */
void secrets_note(struct writer *writer, const struct layout_group *group,
                  const struct protected_secrets *secrets);
bool secrets_any(const struct writer *writer, const struct config_environment *environment,
                 const struct layout_group *group); /* there is a file to write */
bool secrets_any_of(const struct writer *writer, const struct config_environment *environment,
                    const struct layout_group *group, enum secrets_mode mode);
/* Writes the files below `folder` and adds them to the resources of its kustomization. */
bool secrets_write(struct writer *writer, const struct config_environment *environment,
                   const struct protected_secrets *secrets, struct str folder,
                   struct value_list_builder *resources);
/* [{namespace, name, type, keys, environments, store?, storeKey?, why?}]; never a value. */
const struct value *secrets_to_provide(struct writer *writer);
/* {mode, secrets, written{mode: count}, toProvide} for the report. */
const struct value *secrets_section(struct writer *writer);
void secrets_readme(struct writer *writer, struct buf *out);

/* Something of the group is in this environment: an object of the base, or a Secret. */
static inline bool writer_has(const struct writer *writer, const struct config_environment *environment,
                              const struct layout_group *group)
{
    return group->count != 0 || secrets_any(writer, environment, group);
}

/* The entry points (argocd.c, flux.c) and what a reader of the repository wants to know (readme.c). */
bool write_argocd(struct writer *writer);
bool write_flux(struct writer *writer);
bool write_readme(struct writer *writer);
/* A name as the regular expression that a patch's target wants. */
struct str writer_literal(struct arena *arena, struct str name);
/* What is deployed from; a URL that cannot exist where git.url is not set. */
struct str writer_git_url(struct writer *writer);
bool writer_delivers(const struct writer *writer, const char *how); /* "argocd", "flux" */
