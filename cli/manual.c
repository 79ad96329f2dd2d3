/* The chapters of the manual that tables write: docs/commands.md, docs/configuration.md, docs/exit-codes.md. */
#include "cli/cli.h"
#include "core/config/config_keys.h"

static void option_row(struct buf *text, enum option_id option)
{
    const char *argument = cli_option_argument(option);
    char letter = cli_option_letter(option);
    buf_text(text, "| `");
    if (letter)
        buf_fmt(text, "-%c`, `", letter);
    buf_fmt(text, "--%s%s%s` | %s |\n", cli_option_name(option), argument ? " " : "",
            argument ? argument : "", cli_option_help(option));
}

/* The options that `command` takes and every other does not; those of every command for NULL. */
static void options_table(struct buf *text, const struct command *command)
{
    const char *head = "| option | what it does |\n|---|---|\n";
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        enum option_id option = (enum option_id)i;
        if (!cli_command_takes(command, option) || (command && cli_command_takes(NULL, option)))
            continue;
        buf_text(text, head);
        head = "";
        option_row(text, option);
    }
    if (head[0] == '\0')
        buf_text(text, "\n");
}

/* A help text is sentences and then, indented by two, examples. */
static void help_text(struct buf *text, struct str help)
{
    bool code = false;
    while (help.len != 0) {
        struct str line = str_cut(&help, '\n');
        bool indented = str_starts(line, STR("  "));
        if (indented != code)
            buf_text(text, indented ? "```\n" : "```\n\n");
        code = indented;
        buf_fmt(text, "%.*s\n", STR_ARG(code ? str_from(line, 2) : line));
    }
    if (code)
        buf_text(text, "```\n\n");
}

static void write_commands(struct buf *text)
{
    size_t count;
    const struct command *commands = cli_commands(&count);
    buf_text(
        text,
        "# Commands\n\n"
        "`gitops-pipe COMMAND [ARGUMENTS] [OPTIONS]`; `gitops-pipe COMMAND --help` prints one of these\n"
        "sections, `gitops-pipe help commands` this page. It is written from `cli/commands.def` and\n"
        "`cli/options.def`: change those, not this file.\n\n"
        "`<backup>` is an id, the start of one, or `latest`. `<dir>` and `<file>` hold manifests, YAML or\n"
        "JSON; `-` reads them from standard input. The result goes to stdout and nothing else does;\n"
        "progress and errors go to stderr. Exit codes: [exit-codes.md](exit-codes.md).\n\n"
        "## Options of every command\n\n");
    options_table(text, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct command *command = &commands[i];
        buf_fmt(text, "## %s\n\n`gitops-pipe %s%s%s`: %s.\n\n", command->name, command->name,
                command->arguments[0] ? " " : "", command->arguments, command->summary);
        help_text(text, str_of(command->help + (command->help[0] == '\n')));
        options_table(text, command);
    }
}

static void write_exit_codes(struct buf *text)
{
    buf_text(
        text,
        "# Exit codes\n\n"
        "What a script or cron may rely on. Several faults share a status: the message on stderr says which\n"
        "one it is, and what to do next. `gitops-pipe help exit-codes` prints this page; it is written from\n"
        "`core/base/err.def`: change that, not this file.\n\n"
        "| status | what happened |\n"
        "|---|---|\n");
    for (int status = 0; status <= 70; status++)
        for (int code = 0; code < ERR_COUNT; code++)
            if (err_exit_status((enum err_code)code) == status)
                buf_fmt(text, "| %d | %s |\n", status, err_meaning((enum err_code)code));
}

static const struct chapter {
    const char *topic;
    void (*write)(struct buf *text);
} chapters[] = {
    {"commands", write_commands},
    {"configuration", config_markdown},
    {"exit-codes", write_exit_codes},
};

bool cli_manual(struct str topic, struct buf *text)
{
    for (size_t i = 0; i < COUNT_OF(chapters); i++)
        if (str_is(topic, chapters[i].topic)) {
            chapters[i].write(text);
            return true;
        }
    return false;
}
