/* A kubeconfig from anywhere: read or refused with a reason, and what was read can be connected to. */
#include <sys/mman.h>
#include <unistd.h>

#include "core/kube/kubeconfig.h"
#include "core/net/url.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct kubeconfig config;
    struct str_list names;
    struct url url;
    struct err err;
    int fd = memfd_create("kubeconfig", MFD_CLOEXEC);
    if (len > 64 * 1024 || fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        abort();
    struct str path = str_fmt(arena, "/proc/self/fd/%d", fd);
    bool listed = kubeconfig_contexts(arena, path, &names, &err);
    bool read = kubeconfig_read(arena, path, STR_NONE, &config, &err);
    close(fd);
    if (!read) {
        fuzz_expect(err.code != ERR_NONE && err.code != ERR_INTERNAL && err.msg[0], "a reason");
        return 0;
    }
    fuzz_expect(listed && str_in(config.context, names.items, names.count), "the context is one of the list");
    fuzz_expect(url_parse(arena, config.server, &url, &err), "the server is a URL");
    fuzz_expect(config.namespace.len != 0, "there is a namespace");
    fuzz_expect(config.ca_pem.len == 0 || !config.insecure_skip_tls_verify, "no contradiction");
    return 0;
}
