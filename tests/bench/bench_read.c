/* Reading and backing up a cluster: a bare reader that fetches the same pages over two connections and throws them away,
 * `gitops-pipe backup` into an empty folder, the same again the night after, and what others do where they are
 * installed. The program runs as a child, so that its time is that of the command and its memory its own. Needs a
 * server: GITOPS_PIPE_TEST_KUBECONFIG names its kubeconfig (tests/bench/scale starts one). The best of five runs counts,
 * or of GITOPS_PIPE_BENCH_TIMES; GITOPS_PIPE_BENCH_OWN leaves the others out, as on the sandbox, no server of theirs. */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/kube/kube.h"
#include "core/kube/kubeconfig.h"
#include "tests/bench/bench.h"

enum { CONNECTIONS = 2, TIMES = 5 };

struct work {
    struct str path;
    struct kubeconfig config;
    struct resource_types types;
    char dir[64];
    unsigned runs;
    int64_t objects, new_bytes, kept_bytes, peak_bytes; /* of the last backup; the peak of all */

    pthread_mutex_t lock;
    size_t next, bytes;
};

static _Noreturn void give_up(const struct err *err)
{
    fprintf(stderr, "bench_read: %s\n", err->msg);
    exit(1);
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

/* ---- programs ---- */

extern char **environ;

/* Runs a program with its output in a file, and returns its largest resident size in bytes. */
static int64_t run(const char *const *arguments, const char *out)
{
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    pid_t child;
    int status = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)arguments, environ) != 0 ||
        wait4(child, &status, 0, &usage) != child || status != 0) {
        fprintf(stderr, "bench_read: %s ended with status %d\n", arguments[0], status);
        exit(1);
    }
    posix_spawn_file_actions_destroy(&actions);
    return (int64_t)usage.ru_maxrss * 1024;
}

static void take_result(struct work *work, const char *out)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct value *result;
    struct str text;
    struct err err;
    if (!file_read(arena, out, 1 << 20, &text, &err) || !json_parse(arena, text, NULL, &result, &err))
        give_up(&err);
    value_i64(value_key(result, "objects"), &work->objects);
    value_i64(value_in(result, PATH("packs", "bytesNew")), &work->new_bytes);
    value_i64(value_in(result, PATH("packs", "bytesUnchanged")), &work->kept_bytes);
}

static void back_up(struct work *work)
{
    char store[128], out[128];
    snprintf(store, sizeof store, "file://%s/store-%u", work->dir, work->runs);
    snprintf(out, sizeof out, "%s/out", work->dir);
    const char *arguments[] = {"build/gitops-pipe", "backup",       "-q",      "-o",  "json",
                               "--kubeconfig",      work->path.ptr, "--store", store, NULL};
    int64_t peak = run(arguments, out);
    work->peak_bytes = peak > work->peak_bytes ? peak : work->peak_bytes;
    take_result(work, out);
}

static void back_up_anew(void *ctx)
{
    struct work *work = ctx;
    work->runs++;
    back_up(work);
}

static void back_up_again(void *ctx)
{
    back_up(ctx);
}

/* What people do by hand: every type, one after the other. */
static void kubectl_loop(void *ctx)
{
    struct work *work = ctx;
    char type[256];
    for (size_t i = 0; i < work->types.count; i++) {
        const struct resource_type *t = &work->types.items[i];
        if (!t->listable)
            continue;
        snprintf(type, sizeof type, "%.*s%s%.*s", STR_ARG(t->plural), t->group.len ? "." : "",
                 STR_ARG(t->group));
        run((const char *const[]){"kubectl", "--kubeconfig", work->path.ptr, "get", type, "-A", "-o", "json",
                                  NULL},
            "/dev/null");
    }
}

/* One namespace of it: Crane exports one at a time. */
static void crane_export(void *ctx)
{
    struct work *work = ctx;
    char dir[128];
    snprintf(dir, sizeof dir, "%s/crane-%u", work->dir, work->runs++);
    run((const char *const[]){"crane", "export", "--kubeconfig", work->path.ptr, "--namespace", "team-00",
                              "--export-dir", dir, NULL},
        "/dev/null");
}

static bool is_installed(const char *name)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s >/dev/null", name);
    pid_t child;
    int status = -1;
    const char *const arguments[] = {"sh", "-c", command, NULL};
    return posix_spawnp(&child, "sh", NULL, NULL, (char *const *)arguments, environ) == 0 &&
           waitpid(child, &status, 0) == child && status == 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    return remove(path);
}

static int times(void)
{
    uint64_t number;
    bool said =
        str_to_u64(str_of(getenv("GITOPS_PIPE_BENCH_TIMES")), &number) && number > 0 && number <= TIMES;
    return said ? (int)number : TIMES;
}

static void measure_others(struct work *work, double fresh)
{
    if (is_installed("kubectl"))
        bench_row("kubectl get, every type", (double)work->objects, "objects/s",
                  bench_best(kubectl_loop, work, 1), "our backup", fresh);
    if (is_installed("crane"))
        bench_row("crane export, one namespace of all", 1, "namespaces/s", bench_best(crane_export, work, 1),
                  "our backup of all", fresh);
}

static void measure(struct work *work)
{
    double bare = bench_best(bare_reader, work, times()), mb = (double)work->bytes / 1e6;
    double fresh = bench_best(back_up_anew, work, times()),
           stored = (double)(work->new_bytes + work->kept_bytes);
    double again = bench_best(back_up_again, work, times()), sent = (double)work->new_bytes;
    printf("cluster: %lld objects, %.1f MB of lists\n", (long long)work->objects, mb);
    bench_row("read and throw away", mb, "MB/s", bare, NULL, 0);
    bench_row("backup into an empty folder", (double)work->objects, "objects/s", fresh, "reading alone",
              bare);
    bench_row("the night after", (double)work->objects, "objects/s", again, "reading alone", bare);
    printf("  %-34s %9.2f %% of %.2f MB\n", "  sent again", 100 * sent / stored, stored / 1e6);
    printf("  %-34s %9.1f MiB\n", "  peak memory", (double)work->peak_bytes / (1 << 20));
    if (getenv("GITOPS_PIPE_BENCH_OWN") == NULL)
        measure_others(work, fresh);
}

int main(void)
{
    struct arena *arena = arena_new();
    struct work work = {.path = str_of(getenv("GITOPS_PIPE_TEST_KUBECONFIG")),
                        .dir = "/tmp/bench-read-XXXXXX",
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    if (work.path.len == 0) {
        puts("read a cluster: left out; GITOPS_PIPE_TEST_KUBECONFIG names no kubeconfig of one");
        return 0;
    }
    if (mkdtemp(work.dir) == NULL)
        return 1;
    find_types(&work, arena);
    measure(&work);
    nftw(work.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(arena);
    return 0;
}
