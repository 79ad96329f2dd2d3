#include "tests/harness/kube_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/files.h"

static void no_wait(void *ctx, int64_t ms)
{
}

static const char *config_path(struct kube_fixture *f)
{
    return str_c(f->arena, str_fmt(f->arena, "%s/config", f->dir));
}

void kube_fixture_open(struct kube_fixture *f, const char *script, const char *user)
{
    *f = (struct kube_fixture){.arena = arena_new(), .policy = RETRY_DEFAULT, .dir = "/tmp/kube-XXXXXX"};
    cr_assert(mkdtemp(f->dir) != NULL);
    f->policy.sleep = no_wait;
    f->wire = wire_start(str_c(f->arena, str_fmt(f->arena, "testdata/wire/kube/%s.wire", script)), NULL);

    struct str url = wire_url(f->wire, f->arena, "");
    struct str text = str_fmt(f->arena,
                              "current-context: wire\n"
                              "contexts: [{name: wire, context: {cluster: wire, user: tester}}]\n"
                              "clusters: [{name: wire, cluster: {server: '%.*s'}}]\n"
                              "users: [{name: tester, user: {%s}}]\n",
                              STR_ARG(url), user ? user : "token: t0ken");
    const char *path = config_path(f);
    cr_assert(file_write(path, text, 0600, &f->err), "%s", f->err.msg);
    cr_assert(kube_open(f->arena, &(struct kube_options){.kubeconfig = str_of(path), .retry = &f->policy},
                        &f->kube, &f->err),
              "%s", f->err.msg);
}

void kube_fixture_close(struct kube_fixture *f)
{
    kube_close(f->kube);
    const char *fault = wire_stop(f->wire);
    cr_expect(fault == NULL, "%s", fault);
    wire_free(f->wire);
    remove(config_path(f));
    remove(f->dir);
    arena_free(f->arena);
}
