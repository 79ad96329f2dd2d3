/* score: how good what is there is, and whether that is good enough. */
#include "cli/cli.h"
#include "quality/score.h"

static void print_score(struct cli *cli, const struct value *result, struct buf *out)
{
    score_write_text(out, result, cli->colour_out);
}

bool cmd_score(struct cli *cli, struct err *err)
{
    struct str what;
    struct bundle bundle;
    if (!cli_argument(cli, 0, &what, err) || !cli_load(cli, what, &bundle, err))
        return false;
    if (!score_stage(&cli->run, &bundle, err))
        return false;
    const struct value *section = value_key(run_report(&cli->run), "score");
    return cli_print(cli, section, print_score, err) && score_gate(&cli->config, section, err);
}
