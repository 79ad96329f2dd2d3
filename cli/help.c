#include <string.h>

#include "cli/cli.h"
#include "core/base/version.h"

static void option_line(FILE *out, enum option_id option)
{
    char left[64];
    char letter = cli_option_letter(option);
    const char *argument = cli_option_argument(option);
    snprintf(left, sizeof left, "%c%c%s--%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
             letter ? ", " : "  ", cli_option_name(option), argument ? " " : "", argument ? argument : "");
    fprintf(out, "  %-28s %s\n", left, cli_option_help(option));
}

static void overview(FILE *out)
{
    size_t count;
    const struct command *commands = cli_commands(&count);
    fputs("gitops-pipe: from a live cluster to a backup, a GitOps repository and the proof that both bring "
          "it back\n\n"
          "Usage: gitops-pipe COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n",
          out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("\nOptions of every command:\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (cli_command_takes(NULL, (enum option_id)i))
            option_line(out, (enum option_id)i);
    fputs("\nA first minute:\n  gitops-pipe init && gitops-pipe doctor && gitops-pipe run\n"
          "\ngitops-pipe help COMMAND shows examples; gitops-pipe help commands, configuration and "
          "exit-codes the manual.\n",
          out);
}

void cli_help(FILE *out, const struct command *command)
{
    if (command == NULL) {
        overview(out);
        return;
    }
    fprintf(out, "gitops-pipe %s: %s\n\nUsage: gitops-pipe %s%s%s [OPTIONS]\n\n", command->name,
            command->summary, command->name, command->arguments[0] ? " " : "", command->arguments);
    fputs(command->help + (command->help[0] == '\n'), out);
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (cli_command_takes(command, (enum option_id)i) && i != OPTION_VERSION)
            option_line(out, (enum option_id)i);
    fputs("\nExit codes: 0 done, 1 findings beyond the gate, 2 wrong usage, 3 incomplete, 4 not found, 5 "
          "refused,\n"
          "6 cannot be reached, 7 corrupt, 8 interrupted and resumable (gitops-pipe help exit-codes).\n",
          out);
}

bool cmd_help(struct cli *cli, struct err *err)
{
    if (cli->arguments.count == 0) {
        cli_help(stdout, NULL);
        return true;
    }
    struct str topic = cli->arguments.items[0];
    const struct command *command = cli_command_find(topic);
    struct buf chapter CLEANUP(buf_done);
    buf_init(&chapter, 1 << 20);
    if (cli_manual(topic, &chapter))
        return cli_write_out(buf_view(&chapter), err);
    if (command == NULL)
        return err_set(err, ERR_USAGE, "no help on \"%.*s\"", STR_ARG(topic)) ||
               err_next(err, "gitops-pipe --help lists the commands");
    cli_help(stdout, command);
    return true;
}
