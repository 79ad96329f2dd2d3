/* writer.h — adding documents to the file tree, in the form people read: known keys first, a comment on top. */
#pragma once
#include "core/run.h"
#include "overlays/facts.h"
#include "overlays/layout.h"

struct writer {
    struct run *run;
    struct arena *arena;
    const struct bundle *bundle;
    const struct layout *layout;
    const struct facts *facts;
    struct err *err;
};

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

/* The entry points (argocd.c, flux.c) and what a reader of the repository wants to know (readme.c). */
bool write_argocd(struct writer *writer);
bool write_flux(struct writer *writer);
bool write_readme(struct writer *writer);
/* What is deployed from; a URL that cannot exist where git.url is not set. */
struct str writer_git_url(struct writer *writer);
bool writer_delivers(const struct writer *writer, const char *how); /* "argocd", "flux" */
