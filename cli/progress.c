/* A bar that is redrawn on a terminal, one line when a step ends elsewhere, one JSON object per line for machines. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/base/json.h"

enum { BAR_WIDTH = 20, REDRAW_MS = 50 };

struct bar {
    struct progress face;
    bool colour, open;
    int64_t drawn_ms;
};

static bool ends(uint64_t done, uint64_t total)
{
    return total != 0 && done >= total;
}

/* "14210/14210 objects", or without the total when it is not known. */
static struct str counted(struct arena *arena, uint64_t done, uint64_t total, const char *unit)
{
    struct str is = cli_thousands(arena, done);
    if (total == 0)
        return str_fmt(arena, "%.*s %s", STR_ARG(is), unit);
    struct str of = cli_thousands(arena, total);
    return str_fmt(arena, "%.*s/%.*s %s", STR_ARG(is), STR_ARG(of), unit);
}

/* Of the terminal; one that does not say counts as the usual one. */
static size_t columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col : 80;
}

/* A line that wraps is not redrawn but left behind: what does not fit, detail first, is not shown. */
static void draw_words(struct buf *line, size_t room, struct str count, struct str detail)
{
    if (count.len + 1 > room)
        return;
    buf_fmt(line, " %.*s", STR_ARG(count));
    room -= count.len + 1;
    if (detail.len != 0 && room > 6)
        buf_fmt(line, "  %.*s", STR_ARG(str_slice(detail, 0, room - 2)));
}

static void draw_bar(struct progress *progress, const char *what, uint64_t done, uint64_t total,
                     const char *unit, struct str detail)
{
    struct bar *bar = (struct bar *)progress;
    int64_t now = clock_monotonic_ms();
    bool last = ends(done, total);
    if (!last && bar->open && now - bar->drawn_ms < REDRAW_MS)
        return;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct buf line CLEANUP(buf_done);
    buf_init(&line, 4096);
    size_t width = columns() - 1, used = 1 + (strlen(what) > 10 ? strlen(what) : 10);
    uint64_t cells = width > used + BAR_WIDTH ? BAR_WIDTH : width > used + 4 ? 4 : 0;
    uint64_t filled = total ? done * cells / total : 0;
    buf_fmt(&line, "\r\033[K %-10s", what);
    buf_text(&line, bar->colour ? "\033[36m" : "");
    for (uint64_t i = 0; i < cells; i++)
        buf_text(&line, i < filled ? "█" : "░");
    struct str count = counted(arena, done, total, unit);
    buf_text(&line, bar->colour ? "\033[0m" : "");
    draw_words(&line, width > used + cells ? width - used - cells : 0, count, detail);
    if (last)
        buf_char(&line, '\n');
    fwrite(line.ptr, 1, line.len, stderr);
    bar->open = !last;
    bar->drawn_ms = now;
}

static void print_line(struct progress *progress, const char *what, uint64_t done, uint64_t total,
                       const char *unit, struct str detail)
{
    if (!ends(done, total))
        return;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str count = counted(arena, done, total, unit);
    fprintf(stderr, "%s: %.*s%s%.*s\n", what, STR_ARG(count), detail.len ? "  " : "", STR_ARG(detail));
}

static void print_json(struct progress *progress, const char *what, uint64_t done, uint64_t total,
                       const char *unit, struct str detail)
{
    if (!ends(done, total))
        return;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct value *line =
        VALUE_MAP(arena, {"level", value_cstr(arena, "info")},
                  {"time", value_string(arena, clock_rfc3339(arena, clock_now_ms(NULL)))},
                  {"step", value_cstr(arena, what)}, {"done", value_int(arena, (int64_t)done)},
                  {"total", value_int(arena, (int64_t)total)}, {"unit", value_cstr(arena, unit)},
                  {"detail", detail.len ? value_string(arena, detail) : NULL});
    struct str text = json_text(arena, line);
    fprintf(stderr, "%.*s\n", STR_ARG(text));
}

struct progress *cli_progress(struct arena *arena, bool terminal, bool colour, bool json)
{
    struct bar *bar = ARENA_NEW(arena, struct bar);
    bar->colour = colour;
    bar->face.step = json ? print_json : terminal ? draw_bar : print_line;
    return &bar->face;
}
