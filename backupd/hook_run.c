/* One hook: a program on this machine or a command in a pod, its output into a pack. */
#include <stdlib.h>
#include <string.h>

#include "backupd/hook_intern.h"
#include "core/base/clock.h"
#include "core/base/process.h"
#include "core/kube/exec.h"

static const uint64_t MAX_OUTPUT = (uint64_t)16 << 30;

struct running {
    const struct hook_call *call;
    const struct config_hook *hook;
    struct hook_result *result;
    struct buf piece; /* of output, not yet in the pack */
    struct sha256_stream *hash;
    uint64_t pieces;
    char notes[HOOK_NOTES_BYTES]; /* the last of them */
    size_t note_bytes;
    struct str_list secrets; /* values that must not be told */
};

/* ---- output ---- */

static bool flush_piece(struct running *r, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct hook_result *result = r->result;
    if (r->piece.len == 0)
        return true;
    if (result->writer == NULL && !pack_begin(r->call->spool_dir, &result->writer, err))
        return false;
    struct str path =
        str_fmt(scratch, HOOK_FOLDER "%.*s/%08llu", STR_ARG(r->hook->name), (unsigned long long)r->pieces++);
    bool added = pack_add(result->writer, path, buf_view(&r->piece), err);
    buf_clear(&r->piece);
    return added;
}

/* Pieces are of one size, whatever the pipes deliver: the same output makes the same pack. */
static bool take_out(void *ctx, struct str bytes, struct err *err)
{
    struct running *r = ctx;
    r->result->bytes += bytes.len;
    if (!r->hook->keep_output)
        return true;
    if (r->result->bytes > MAX_OUTPUT)
        return err_set(err, ERR_LIMIT, "it writes more than %llu GiB",
                       (unsigned long long)(MAX_OUTPUT >> 30));
    sha256_add(r->hash, bytes.ptr, bytes.len);
    while (bytes.len != 0) {
        struct str part = str_slice(bytes, 0, HOOK_PIECE_BYTES - r->piece.len);
        buf_str(&r->piece, part);
        bytes = str_from(bytes, part.len);
        if (r->piece.len == HOOK_PIECE_BYTES && !flush_piece(r, err))
            return false;
    }
    return true;
}

static bool take_notes(void *ctx, struct str bytes, struct err *err)
{
    struct running *r = ctx;
    if (bytes.len > sizeof r->notes)
        bytes = str_from(bytes, bytes.len - sizeof r->notes);
    size_t keep = sizeof r->notes - bytes.len < r->note_bytes ? sizeof r->notes - bytes.len : r->note_bytes;
    memmove(r->notes, r->notes + r->note_bytes - keep, keep);
    memcpy(r->notes + keep, bytes.ptr, bytes.len);
    r->note_bytes = keep + bytes.len;
    return true;
}

static bool finish_output(struct running *r, struct err *err)
{
    struct hook_result *result = r->result;
    if (!r->hook->keep_output || result->bytes == 0)
        return true;
    result->output.name = r->hook->name;
    return flush_piece(r, err) && pack_finish(result->writer, &result->output.pack, err);
}

/* ---- on this machine ---- */

static void add_variable(struct running *r, struct str_list *env, struct str name, bool secret)
{
    struct str value = str_of(getenv(str_c(r->call->arena, name)));
    if (value.ptr == NULL)
        return;
    *ARENA_PUSH(r->call->arena, env) = str_fmt(r->call->arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(value));
    if (secret)
        *ARENA_PUSH(r->call->arena, &r->secrets) = value;
}

static const char **environment(struct running *r)
{
    static const char *const always[] = {"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"};
    struct arena *arena = r->call->arena;
    struct str_list list = {0};
    for (size_t i = 0; i < COUNT_OF(always); i++)
        add_variable(r, &list, str_of(always[i]), false);
    for (size_t i = 0; i < r->hook->environment.count; i++)
        add_variable(r, &list, r->hook->environment.items[i], true);
    *ARENA_PUSH(arena, &list) = str_fmt(arena, "GITOPS_PIPE_HOOK=%.*s", STR_ARG(r->hook->name));
    *ARENA_PUSH(arena, &list) = str_fmt(arena, "GITOPS_PIPE_CLUSTER=%.*s", STR_ARG(r->call->cluster));
    if (str_is(r->hook->when, "after"))
        *ARENA_PUSH(arena, &list) =
            str_fmt(arena, "GITOPS_PIPE_BACKUP=%s", r->call->after_failure ? "failed" : "stored");
    const char **env = ARENA_ARRAY(arena, const char *, list.count + 1);
    for (size_t i = 0; i < list.count; i++)
        env[i] = str_c(arena, list.items[i]);
    return env;
}

static bool run_here(struct running *r, struct err *err)
{
    struct arena *arena = r->call->arena;
    const struct str_list *command = &r->hook->command;
    const char **argv = ARENA_ARRAY(arena, const char *, command->count + 1);
    for (size_t i = 0; i < command->count; i++)
        argv[i] = str_c(arena, command->items[i]);
    const struct process process = {.argv = argv,
                                    .env = environment(r),
                                    .timeout_ms = r->hook->timeout_ms,
                                    .out = take_out,
                                    .notes = take_notes,
                                    .ctx = r,
                                    .group = r->call->group};
    int status = 0;
    if (!process_run(&process, &status, err))
        return false;
    r->result->exit_code = status;
    return status == 0 || err_set(err, ERR_REFUSED, "exit code %d", status);
}

/* ---- in a pod ---- */

static bool is_ready(const struct value *pod)
{
    bool running = str_is(value_str_in(pod, PATH("status", "phase")), "Running");
    bool leaving = value_in(pod, PATH("metadata", "deletionTimestamp")) != NULL;
    VALUE_EACH(condition, value_in(pod, PATH("status", "conditions")))
        if (str_is(value_str(value_key(condition, "type")), "Ready"))
            return running && !leaving && str_is(value_str(value_key(condition, "status")), "True");
    return false;
}

/* The first by name of those that are ready: the same one every night while it is there. */
static bool find_pod(struct running *r, struct str *ret_name, struct err *err)
{
    struct arena *arena = r->call->arena;
    const struct config_hook *hook = r->hook;
    struct str space = http_escape(arena, hook->namespace, false),
               labels = http_escape(arena, hook->selector, false), best = STR_NONE;
    const struct value *list;
    struct str path = str_fmt(arena, "/api/v1/namespaces/%.*s/pods?labelSelector=%.*s&limit=500",
                              STR_ARG(space), STR_ARG(labels));
    if (!kube_call(r->call->kube, arena, "GET", path, NULL, STR_NONE, &list, err))
        return false;
    VALUE_EACH(pod, value_key(list, "items")) {
        struct str name = value_str_in(pod, PATH("metadata", "name"));
        if (is_ready(pod) && (best.len == 0 || str_cmp(name, best) < 0))
            best = name;
    }
    *ret_name = best;
    if (best.len != 0)
        return true;
    err_set(err, ERR_NOT_FOUND, "no pod in namespace \"%.*s\" with labels %.*s is ready",
            STR_ARG(hook->namespace), STR_ARG(hook->selector));
    return err_next(err, "kubectl -n %.*s get pods -l %.*s", STR_ARG(hook->namespace),
                    STR_ARG(hook->selector));
}

static bool run_in_pod(struct running *r, struct err *err)
{
    const struct config_hook *hook = r->hook;
    struct kube_exec_result ended;
    struct kube_exec exec = {.namespace = hook->namespace,
                             .pod = hook->pod,
                             .container = hook->container,
                             .command = hook->command,
                             .timeout_ms = hook->timeout_ms,
                             .out = take_out,
                             .notes = take_notes,
                             .ctx = r};
    if (exec.pod.len == 0 && !find_pod(r, &exec.pod, err))
        return false;
    if (!kube_exec(r->call->kube, r->call->arena, &exec, &ended, err))
        return false;
    r->result->exit_code = ended.exit_code;
    if (ended.ok)
        return true;
    if (ended.exit_code >= 0)
        return err_set(err, ERR_REFUSED, "exit code %d in pod %.*s", ended.exit_code, STR_ARG(exec.pod));
    struct str words = hook_words(r->call->arena, ended.message, &r->secrets);
    return err_set(err, ERR_REFUSED, "in pod %.*s: %.*s", STR_ARG(exec.pod),
                   STR_ARG(str_slice(words, 0, 300)));
}

/* ---- both ---- */

/* What a command said last is what it died of, most of the time. */
static void tell_failure(struct running *r, struct err *err)
{
    struct str notes = r->result->notes, line = str_from(notes, str_rfind(notes, '\n') + 1);
    if (str_rfind(notes, '\n') == notes.len)
        line = notes;
    if (err->code == ERR_REFUSED && line.len != 0) {
        struct err said = *err;
        err_set(err, said.code, "%s: %.*s", said.msg, STR_ARG(str_slice(line, 0, 300)));
    }
    if (err->code == ERR_INTERRUPTED) /* its time limit: that is no interruption of ours */
        err->code = ERR_REFUSED;
    err_context(err, "hook %.*s", STR_ARG(r->hook->name));
    err_next(err, "run the command by hand; onFailure: continue goes on without it");
    r->result->error = str_dup(r->call->arena, str_of(err->msg));
}

bool hook_run(const struct hook_call *call, struct hook_result *result, struct err *err)
{
    struct running *r = ARENA_NEW(call->arena, struct running);
    int64_t began_ms = clock_monotonic_ms();
    *r = (struct running){.call = call, .hook = result->hook, .result = result, .hash = sha256_begin()};
    buf_init(&r->piece, HOOK_PIECE_BYTES);
    result->ran = true;
    result->exit_code = -1;
    result->ok = (r->hook->namespace.len != 0 ? run_in_pod : run_here)(r, err) && finish_output(r, err);
    result->ms = clock_monotonic_ms() - began_ms;
    result->sha256 = sha256_end(r->hash);
    result->notes = hook_words(call->arena, (struct str){r->notes, r->note_bytes}, &r->secrets);
    buf_done(&r->piece);
    if (result->ok)
        return true;
    pack_drop(result->writer); /* half an output is none */
    result->writer = NULL;
    tell_failure(r, err);
    return false;
}
