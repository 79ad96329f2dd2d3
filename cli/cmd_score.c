/* score: how good what is there is, and whether that is good enough. */
#include "cli/cli.h"
#include "quality/score.h"

static void print_score(struct cli *cli, const struct value *result, struct buf *out)
{
    score_write_text(out, result, cli->colour_out);
}

static bool score_stash(struct cli *cli, struct stash *stash, struct err *err)
{
    struct parts parts;
    parts_of_stash(cli->arena, stash, &parts);
    return score_parts(&cli->run, &parts, err);
}

bool cmd_score(struct cli *cli, struct err *err)
{
    struct str what;
    struct stash *stash;
    if (!cli_argument(cli, 0, &what, err) || !cli_load_stash(cli, what, &stash, err))
        return false;
    bool scored = score_stash(cli, stash, err);
    stash_close(stash);
    if (!scored)
        return false;
    const struct value *section = value_key(run_report(&cli->run), "score");
    return cli_print(cli, section, print_score, err) && score_gate(&cli->config, section, err);
}
