/* The round trip of convert --verify and of run: what was written is rendered, and every difference to the snapshot must
 * have a name. */
#include <inttypes.h>

#include "cli/cli.h"
#include "overlays/verify.h"
#include "transform/verify.h"

static void append(struct arena *arena, struct value_list_builder *to, const struct value_list_builder *from)
{
    for (size_t i = 0; i < from->count; i++)
        value_push(arena, to, &from->items[i]);
}

bool cli_round_trip(struct cli *cli, const struct transform_log *log, const struct files *files,
                    const struct value **ret_section, struct err *err)
{
    struct arena *arena = cli->arena;
    const struct config_environments *environments = &cli->config.environments;
    struct value_list_builder unexplained = {0}, sections = {0};
    struct verification base_result;
    struct bundle base;
    overlays_render_base(arena, files, &base, &unexplained);
    transform_verify(arena, log, &base, &base_result);
    append(arena, &unexplained, &base_result.unexplained);
    for (size_t i = 0; i < environments->count; i++) {
        struct overlays_verification result;
        const struct config_environment *environment = &environments->items[i];
        if (!overlays_verify(&cli->run, files, &base, environment, &result, err))
            return false;
        append(arena, &unexplained, &result.unexplained);
        value_push(arena, &sections,
                   VALUE_MAP(arena, {"name", value_string(arena, environment->name)},
                             {"steps", value_map_done(arena, &result.steps)}));
    }
    *ret_section = VALUE_MAP(arena, {"objects", value_int(arena, (int64_t)base_result.objects)},
                             {"explained", value_int(arena, (int64_t)base_result.explained)},
                             {"rules", value_map_done(arena, &base_result.rules)},
                             {"environments", value_list_done(arena, &sections)},
                             {"unexplained", value_list_done(arena, &unexplained)});
    return true;
}

bool cli_round_trip_gate(const struct value *section, struct err *err)
{
    size_t count = value_count(value_key(section, "unexplained"));
    if (count == 0)
        return true;
    err_set(err, ERR_FINDINGS, "round trip: %zu unexplained difference%s", count, count == 1 ? "" : "s");
    return err_next(
        err, "do not deploy from these files: a file was changed after it was written, or a rule is at fault "
             "(convert --explain shows what it says); report it with the list");
}

enum { LISTED = 50 };

void cli_write_round_trip(struct cli *cli, const struct value *section, struct buf *out)
{
    const struct value *unexplained = value_key(section, "unexplained");
    int64_t objects = 0, explained = 0;
    size_t listed = 0;
    value_i64(value_key(section, "objects"), &objects);
    value_i64(value_key(section, "explained"), &explained);
    buf_fmt(
        out,
        " round trip: %zu unexplained differences; %.*s objects, %.*s differences explained by %zu rules\n",
        value_count(unexplained), STR_ARG(cli_thousands(cli->arena, (uint64_t)objects)),
        STR_ARG(cli_thousands(cli->arena, (uint64_t)explained)), value_count(value_key(section, "rules")));
    VALUE_EACH(environment, value_key(section, "environments")) {
        buf_fmt(out, "   %.*s:", STR_ARG(value_str(value_key(environment, "name"))));
        const struct value *steps = value_key(environment, "steps");
        MEMBER_EACH(step, steps)
            buf_fmt(out, " %.*s %.*s", STR_ARG(step->key), STR_ARG(value_text(&step->value)));
        buf_text(out, value_count(steps) ? "\n" : " the base, unchanged\n");
    }
    VALUE_EACH(item, unexplained) {
        struct str path = value_str(value_key(item, "path"));
        if (listed++ == LISTED) {
            buf_fmt(out, "   … and %zu more (--output json lists all)\n", value_count(unexplained) - LISTED);
            return;
        }
        buf_fmt(out, " %s %.*s%s%.*s: %.*s\n", cli_mark(cli, false),
                STR_ARG(value_str(value_key(item, "resource"))), path.len ? " " : "", STR_ARG(path),
                STR_ARG(value_str(value_key(item, "what"))));
    }
}
