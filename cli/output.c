/* Results on stdout, faults on stderr; nothing else prints. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/base/json.h"
#include "core/base/yaml.h"

enum { OUTPUT_MAX_BYTES = 1 << 30 };

void cli_reader_left(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

bool cli_write_out(struct str text, struct err *err)
{
    fflush(stdout);
    while (text.len != 0) {
        ssize_t wrote = write(STDOUT_FILENO, text.ptr, text.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EPIPE)
            cli_reader_left();
        if (wrote < 0)
            return err_errno(err, "write to standard output");
        text = str_from(text, (size_t)wrote);
    }
    return true;
}

bool cli_print(struct cli *cli, const struct value *result, cli_text_fn text, struct err *err)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, OUTPUT_MAX_BYTES);
    switch (cli->format) {
    case OUTPUT_TEXT: text(cli, result, &out); break;
    case OUTPUT_JSON: json_write_pretty(&out, result); break;
    case OUTPUT_YAML: yaml_write(&out, result); break;
    }
    if (!buf_ok(&out))
        return err_set(err, ERR_LIMIT, "the result is larger than %d bytes", OUTPUT_MAX_BYTES);
    return cli_write_out(buf_view(&out), err);
}

static void say(const struct cli *cli, const char *level, const char *text)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct value *line =
        VALUE_MAP(arena, {"level", value_cstr(arena, level)}, {"message", value_cstr(arena, text)});
    struct str said = cli->log_json ? json_text(arena, line) : str_of(text);
    fprintf(stderr, "%.*s\n", STR_ARG(said));
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    if (cli_has(cli, OPTION_QUIET))
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    say(cli, "info", text);
}

void cli_warn(const struct cli *cli, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    say(cli, "warning", text);
}

static void print_error_json(const struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct value *line =
        VALUE_MAP(arena, {"level", value_cstr(arena, "error")},
                  {"code", value_cstr(arena, err_name(err->code))}, {"message", value_cstr(arena, err->msg)},
                  {"next", err->next[0] ? value_cstr(arena, err->next) : NULL});
    struct str text = json_text(arena, line);
    fprintf(stderr, "%.*s\n", STR_ARG(text));
}

void cli_print_error(const struct cli *cli, const struct err *err)
{
    if (cli->log_json) {
        print_error_json(err);
        return;
    }
    fprintf(stderr, "%serror:%s %s\n", cli->colour_err ? "\033[31m" : "", cli->colour_err ? "\033[0m" : "",
            err->msg);
    if (err->next[0] != '\0')
        fprintf(stderr, "  → %s\n", err->next);
}

const char *cli_mark(const struct cli *cli, bool ok)
{
    if (cli->colour_out)
        return ok ? "\033[32m✔\033[0m" : "\033[31m✘\033[0m";
    return ok ? "✔" : "✘";
}

void cli_write_steps(struct cli *cli, const struct value *steps, struct buf *out)
{
    VALUE_EACH(step, steps) {
        int64_t ms = 0;
        value_i64(value_key(step, "ms"), &ms);
        struct str took = cli_duration(cli->arena, ms);
        buf_fmt(out, " %s %-10.*s %9.*s  %.*s\n", cli_mark(cli, value_true(value_key(step, "ok"))),
                STR_ARG(value_str(value_key(step, "name"))), STR_ARG(took),
                STR_ARG(value_str(value_key(step, "summary"))));
    }
}

struct str cli_bytes(struct arena *arena, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double amount = (double)bytes;
    size_t unit = 0;
    while (amount >= 1000 && unit + 1 < COUNT_OF(units)) {
        amount /= 1000;
        unit++;
    }
    return str_fmt(arena, unit ? "%.1f %s" : "%.0f %s", amount, units[unit]);
}

struct str cli_thousands(struct arena *arena, uint64_t number)
{
    char digits[32], text[48];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number), to = 0;
    for (int i = 0; i < len; i++) {
        if (i != 0 && (len - i) % 3 == 0)
            text[to++] = ' ';
        text[to++] = digits[i];
    }
    return str_dup(arena, (struct str){text, (size_t)to});
}

struct str cli_duration(struct arena *arena, int64_t ms)
{
    if (ms < 1000)
        return str_fmt(arena, "%" PRId64 " ms", ms);
    if (ms < 120000)
        return str_fmt(arena, "%.1f s", (double)ms / 1000);
    if (ms < 7200000)
        return str_fmt(arena, "%" PRId64 " min %" PRId64 " s", ms / 60000, ms / 1000 % 60);
    return str_fmt(arena, "%" PRId64 " h %" PRId64 " min", ms / 3600000, ms / 60000 % 60);
}
