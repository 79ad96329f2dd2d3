/* Reading a cluster: kube_snapshot against a bare reader that fetches the same pages over two connections and throws
 * them away. Needs a server that is worth it: GITOPS_PIPE_TEST_KUBECONFIG names its kubeconfig. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kube/kube.h"
#include "core/kube/kubeconfig.h"
#include "tests/bench/bench.h"

enum { CONNECTIONS = 2, TIMES = 7 };

struct work {
    struct str path;
    struct kubeconfig config;
    struct resource_types types;
    size_t objects;

    pthread_mutex_t lock;
    size_t next, bytes;
};

static _Noreturn void give_up(const struct err *err)
{
    fprintf(stderr, "bench_snapshot: %s\n", err->msg);
    exit(1);
}

static void snapshot(void *ctx)
{
    struct work *work = ctx;
    struct arena *arena = arena_new();
    struct kube *kube;
    struct bundle bundle;
    struct err err;
    if (!kube_open(arena, &(struct kube_options){.kubeconfig = work->path}, &kube, &err) ||
        !kube_snapshot(kube, arena, &(struct kube_selection){0}, NULL, &bundle, &err))
        give_up(&err);
    work->objects = bundle.count;
    kube_close(kube);
    arena_free(arena);
}

/* ---- the bare reader ---- */

/* What it keeps of a page: its start, where the continue token stands. */
struct page {
    char start[1024];
    size_t len, bytes;
};

static bool keep_start(void *ctx, struct str piece, struct err *err)
{
    struct page *page = ctx;
    size_t room = sizeof page->start - page->len, len = piece.len < room ? piece.len : room;
    memcpy(page->start + page->len, piece.ptr, len);
    page->len += len;
    page->bytes += piece.len;
    return true;
}

static struct str continue_token(struct arena *arena, const struct page *page)
{
    static const char key[] = "\"continue\":\"";
    const char *at = memmem(page->start, page->len, key, sizeof key - 1);
    if (at == NULL)
        return STR_NONE;
    struct str rest = {at + sizeof key - 1, page->len - (size_t)(at - page->start) - (sizeof key - 1)};
    return str_dup(arena, str_cut(&rest, '"'));
}

static void read_type(struct work *work, struct http *http, struct arena *arena,
                      const struct resource_type *type)
{
    struct str token = STR_NONE, path = kube_path(arena, type, STR_NONE, STR_NONE);
    do {
        struct page page = {.len = 0};
        struct http_reply reply;
        struct err err;
        struct http_request request = {.method = "GET", .on_body = keep_start, .ctx = &page};
        request.url = str_fmt(arena, "%.*s%.*s?limit=500%s%.*s", STR_ARG(work->config.server), STR_ARG(path),
                              token.len ? "&continue=" : "", STR_ARG(token));
        http_add_header(arena, &request.headers, STR("Accept"), STR("application/json"));
        http_add_header(arena, &request.headers, STR("Authorization"),
                        str_fmt(arena, "Bearer %.*s", STR_ARG(work->config.token)));
        if (!http_call(http, arena, &request, &reply, &err))
            give_up(&err);
        token = continue_token(arena, &page);
        pthread_mutex_lock(&work->lock);
        work->bytes += page.bytes;
        pthread_mutex_unlock(&work->lock);
    } while (token.len != 0);
}

static void *read_some(void *ctx)
{
    struct work *work = ctx;
    struct arena *arena = arena_new();
    const struct http_options options = {
        .ca_pem = work->config.ca_pem, .cert_pem = work->config.cert_pem, .key_pem = work->config.key_pem};
    struct http *http;
    struct err err;
    if (!http_open(arena, &options, &http, &err))
        give_up(&err);
    for (;;) {
        pthread_mutex_lock(&work->lock);
        size_t i = work->next++;
        pthread_mutex_unlock(&work->lock);
        if (i >= work->types.count)
            break;
        if (work->types.items[i].listable)
            read_type(work, http, arena, &work->types.items[i]);
    }
    http_close(http);
    arena_free(arena);
    return NULL;
}

static void bare_reader(void *ctx)
{
    struct work *work = ctx;
    pthread_t threads[CONNECTIONS];
    work->next = work->bytes = 0;
    for (int i = 0; i < CONNECTIONS; i++)
        pthread_create(&threads[i], NULL, read_some, work);
    for (int i = 0; i < CONNECTIONS; i++)
        pthread_join(threads[i], NULL);
}

static void find_types(struct work *work, struct arena *arena)
{
    struct kube *kube;
    struct err err;
    if (!kubeconfig_read(arena, work->path, STR_NONE, &work->config, &err) ||
        !kube_open(arena, &(struct kube_options){.kubeconfig = work->path}, &kube, &err) ||
        !kube_discover(kube, arena, &work->types, &err))
        give_up(&err);
    kube_close(kube);
}

int main(void)
{
    struct arena *arena = arena_new();
    struct work work = {.path = str_of(getenv("GITOPS_PIPE_TEST_KUBECONFIG")),
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    if (work.path.len == 0) {
        puts("read a cluster: left out; GITOPS_PIPE_TEST_KUBECONFIG names no kubeconfig of one");
        return 0;
    }
    find_types(&work, arena);
    double bare = bench_best(bare_reader, &work, TIMES), took = bench_best(snapshot, &work, TIMES);
    printf("cluster: %zu objects, %.1f MB of lists, %d connections\n", work.objects, (double)work.bytes / 1e6,
           CONNECTIONS);
    bench_row("read and throw away", (double)work.bytes / 1e6, "MB/s", bare, NULL, 0);
    bench_row("snapshot", (double)work.objects, "objects/s", took, "reading and throwing away", bare);
    arena_free(arena);
    return 0;
}
