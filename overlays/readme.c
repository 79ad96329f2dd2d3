/* README.md of the repository: what it is, how to deploy it, how to go back, what must be provided. */
#include "core/config/config.h"
#include "overlays/writer.h"

static void write_environments(struct writer *writer, struct buf *out)
{
    const struct config_environments *environments = &writer->run->config->environments;
    buf_text(out, "| environment | folder | replicas | debug | hardened |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < environments->count; i++) {
        const struct config_environment *environment = &environments->items[i];
        static const char *const rules[] = {"as in the base", "", "at least "};
        buf_fmt(out, "| %.*s | `overlays/%.*s` | %s", STR_ARG(environment->name), STR_ARG(environment->name),
                rules[environment->replicas_rule]);
        if (environment->replicas_rule != REPLICAS_KEEP)
            buf_fmt(out, "%d", (int)environment->replicas);
        buf_fmt(out, " | %s | %s |\n", environment->debug ? "yes" : "no", environment->harden ? "yes" : "no");
    }
    buf_text(
        out,
        "\nReplicas change only where that is safe: not what an autoscaler manages, not StatefulSets, not "
        "workloads on a\nvolume that only one node may mount, and nothing that was stopped on purpose.\n");
}

static void write_deploy(struct writer *writer, struct buf *out)
{
    const struct config_environments *environments = &writer->run->config->environments;
    struct str first = environments->count ? environments->items[0].name : STR("dev");
    buf_text(out, "\n## Deploy\n\n");
    if (writer_delivers(writer, "argocd"))
        buf_fmt(out, "- Argo CD: `kubectl apply -f argocd/project.yaml -f argocd/%.*s.yaml`\n",
                STR_ARG(first));
    if (writer_delivers(writer, "flux"))
        buf_fmt(out, "- Flux: `kubectl apply -f flux/%.*s/`\n", STR_ARG(first));
    buf_fmt(out,
            "- By hand: `kubectl apply --server-side -k overlays/%.*s`; where there are definitions, "
            "`-k overlays/%.*s/_crds` first\n"
            "- With gitops-pipe: `gitops-pipe restore . --environment %.*s --target context:NAME`, in waves, "
            "waiting until "
            "ready\n",
            STR_ARG(first), STR_ARG(first), STR_ARG(first));
    buf_text(out, "\n## Go back\n\n`git revert` the commit, push, and Argo CD or Flux follow. Neither "
                  "deletes anything: "
                  "pruning is off in both\nuntil somebody switches it on.\n");
}

bool write_readme(struct writer *writer)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 16 << 20);
    buf_fmt(
        &out,
        "# %.*s\n\nThe declared state of cluster `%.*s`, written by gitops-pipe from a backup. `base/` is "
        "what every "
        "environment\nshares, one folder per namespace and one file per object; `overlays/` is what differs. "
        "Files in `base/`, `overlays/`,\n`argocd/` and `flux/` are written anew by each run; other files in "
        "this "
        "repository are left alone.\n\n",
        STR_ARG(writer->whole->cluster), STR_ARG(writer->whole->cluster));
    write_environments(writer, &out);
    write_deploy(writer, &out);
    secrets_readme(writer, &out);
    return writer_text(writer, STR("README.md"), &out);
}
