/* kube_fixture.h — a client of a scripted API server (testdata/wire/kube/NAME.wire), with retries that do not wait. */
#pragma once
#include "core/kube/kube.h"
#include "tests/harness/wire.h"

struct kube_fixture {
    struct arena *arena;
    struct wire *wire;
    struct kube *kube;
    struct retry_policy policy;
    char dir[64]; /* of the kubeconfig; scratch for the test */
    struct err err;
};

/* `user` is what stands in the kubeconfig's user entry as YAML flow, "token: t0ken" by default (NULL). */
void kube_fixture_open(struct kube_fixture *f, const char *script, const char *user);
/* Checks that the script was played to its end. */
void kube_fixture_close(struct kube_fixture *f);
