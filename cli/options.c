/* The command line, read by tables: no command parses its own. */
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const struct option_row {
    const char *name;
    char letter;
    const char *argument, *help;
} rows[OPTION_COUNT] = {
#define OPTION(symbol, name, letter, argument, help) {name, letter, argument, help},
#include "cli/options.def"
#undef OPTION
};

static const struct command commands[] = {
#define COMMAND(name, function, arguments, options, summary, help)                                           \
    {name, function, arguments, options, summary, help},
#include "cli/commands.def"
#undef COMMAND
};

static const char everywhere[] = "config kubeconfig context identity output quiet log-format help version";

const struct command *cli_commands(size_t *ret_count)
{
    *ret_count = COUNT_OF(commands);
    return commands;
}

const struct command *cli_command_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (str_is(name, commands[i].name))
            return &commands[i];
    return NULL;
}

const char *cli_option_name(enum option_id option)
{
    return rows[option].name;
}

char cli_option_letter(enum option_id option)
{
    return rows[option].letter;
}

const char *cli_option_argument(enum option_id option)
{
    return rows[option].argument;
}

const char *cli_option_help(enum option_id option)
{
    return rows[option].help;
}

static bool has_word(const char *words, const char *word)
{
    struct str rest = str_of(words);
    while (rest.len != 0)
        if (str_is(str_cut(&rest, ' '), word))
            return true;
    return false;
}

bool cli_command_takes(const struct command *command, enum option_id option)
{
    return has_word(everywhere, rows[option].name) ||
           (command && has_word(command->options, rows[option].name));
}

bool cli_has(const struct cli *cli, enum option_id option)
{
    return cli->options[option].count != 0;
}

struct str cli_option(const struct cli *cli, enum option_id option)
{
    const struct str_list *values = &cli->options[option];
    return values->count ? values->items[values->count - 1] : STR_NONE;
}

/* Nearest right word, for "did you mean"; NULL when nothing is near. */
static const char *nearest(struct str wrong, const char *(*name_at)(size_t), size_t count)
{
    const char *best = NULL;
    unsigned best_distance = 3;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = str_distance(wrong, str_of(name_at(i)));
        if (distance < best_distance) {
            best_distance = distance;
            best = name_at(i);
        }
    }
    return best;
}

static const char *option_name_at(size_t i)
{
    return rows[i].name;
}

static const char *command_name_at(size_t i)
{
    return commands[i].name;
}

static bool unknown_option(const struct cli *cli, struct str text, struct str name, struct err *err)
{
    const char *near = nearest(name, option_name_at, OPTION_COUNT);
    err_set(err, ERR_USAGE, "unknown option %.*s", STR_ARG(text));
    if (near != NULL && name.len > 1)
        return err_next(err, "did you mean --%s?", near);
    return err_next(err, "gitops-pipe%s%s --help lists the options", cli->command ? " " : "",
                    cli->command ? cli->command->name : "");
}

static size_t find_long(struct str name)
{
    size_t i = 0;
    while (i < OPTION_COUNT && !str_is(name, rows[i].name))
        i++;
    return i;
}

static size_t find_letter(char letter)
{
    size_t i = 0;
    while (i < OPTION_COUNT && rows[i].letter != letter)
        i++;
    return i;
}

/* Takes the option at argv[*at]: --name, --name=value, --name value, -x, -x value, -xvalue. */
static bool take_option(struct cli *cli, int argc, char **argv, int *at, struct err *err)
{
    struct str text = str_of(argv[*at]), value = STR_NONE, name;
    bool is_long = str_starts(text, STR("--")), has_value;
    size_t option;
    if (is_long) {
        value = str_from(text, 2);
        has_value = str_find(value, '=') < value.len;
        name = str_cut(&value, '=');
        option = find_long(name);
    } else {
        name = str_slice(text, 1, 2);
        value = str_from(text, 2);
        has_value = value.len != 0;
        option = find_letter(name.ptr[0]);
    }
    if (option == OPTION_COUNT)
        return unknown_option(cli, text, name, err);
    if (rows[option].argument == NULL && has_value)
        return err_set(err, ERR_USAGE, "--%s takes no value", rows[option].name);
    if (rows[option].argument != NULL && !has_value) {
        if (*at + 1 == argc)
            return err_set(err, ERR_USAGE, "--%s needs a value: %s", rows[option].name,
                           rows[option].argument);
        value = str_of(argv[++*at]);
    }
    *ARENA_PUSH(cli->arena, &cli->options[option]) = value;
    return true;
}

static bool take_command(struct cli *cli, struct str name, struct err *err)
{
    cli->command = cli_command_find(name);
    if (cli->command != NULL)
        return true;
    const char *near = nearest(name, command_name_at, COUNT_OF(commands));
    err_set(err, ERR_USAGE, "unknown command \"%.*s\"", STR_ARG(name));
    return near ? err_next(err, "did you mean \"%s\"?", near)
                : err_next(err, "gitops-pipe --help lists the commands");
}

/* A command takes as many arguments as its row of the table names, a word for each. */
static bool check_arguments(const struct cli *cli, struct err *err)
{
    static const char *const numbers[] = {"no argument", "one argument", "two arguments"};
    size_t most = 0;
    for (struct str rest = str_of(cli->command ? cli->command->arguments : ""); rest.len != 0; most++)
        str_cut(&rest, ' ');
    if (cli->arguments.count <= most)
        return true;
    struct str extra = cli->arguments.items[most];
    err_set(err, ERR_USAGE, "%s takes %s, and \"%.*s\" is one more", cli->command->name, numbers[most],
            STR_ARG(extra));
    return err_next(err, "gitops-pipe %s --help shows examples", cli->command->name);
}

/* Known before anything else is read: what is wrong with the rest of the line is told in that format too. */
static bool wants_json_log(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (str_is(str_of(argv[i]), "--log-format=json") ||
            (str_is(str_of(argv[i]), "--log-format") && i + 1 < argc && str_is(str_of(argv[i + 1]), "json")))
            return true;
    return false;
}

static bool check_options(const struct cli *cli, struct err *err)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (cli->options[i].count != 0 && !cli_command_takes(cli->command, (enum option_id)i)) {
            err_set(err, ERR_USAGE, "%s takes no --%s", cli->command ? cli->command->name : "gitops-pipe",
                    rows[i].name);
            return err_next(err, "gitops-pipe %s --help lists its options",
                            cli->command ? cli->command->name : "");
        }
    return true;
}

static bool read_format(struct cli *cli, struct err *err)
{
    static const char *const names[] = {"text", "json", "yaml"};
    struct str format = cli_option(cli, OPTION_OUTPUT), log = cli_option(cli, OPTION_LOG_FORMAT);
    cli->log_json = str_is(log, "json");
    if (log.len != 0 && !cli->log_json && !str_is(log, "text"))
        return err_set(err, ERR_USAGE, "--log-format is text or json, not \"%.*s\"", STR_ARG(log));
    if (format.len == 0)
        return true;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_is(format, names[i])) {
            cli->format = (enum output_format)i;
            return true;
        }
    return err_set(err, ERR_USAGE, "--output is text, json or yaml, not \"%.*s\"", STR_ARG(format));
}

bool cli_parse(struct cli *cli, int argc, char **argv, struct err *err)
{
    bool only_arguments = false;
    cli->log_json = wants_json_log(argc, argv);
    for (int i = 1; i < argc; i++) {
        struct str text = str_of(argv[i]);
        bool is_option = !only_arguments && text.len > 1 && text.ptr[0] == '-';
        if (is_option && str_is(text, "--")) {
            only_arguments = true;
        } else if (is_option) {
            if (!take_option(cli, argc, argv, &i, err))
                return false;
        } else if (cli->command == NULL) {
            if (!take_command(cli, text, err))
                return false;
        } else {
            *ARENA_PUSH(cli->arena, &cli->arguments) = text;
        }
    }
    return check_options(cli, err) && check_arguments(cli, err) && read_format(cli, err);
}
