/* Shell completion, written from the same tables as the help. */
#include <stdio.h>

#include "cli/cli.h"

static void each_option(struct buf *out, const struct command *command,
                        void (*write)(struct buf *out, const struct command *command, enum option_id option))
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (cli_command_takes(command, (enum option_id)i))
            write(out, command, (enum option_id)i);
}

static void bash_option(struct buf *out, const struct command *command, enum option_id option)
{
    buf_fmt(out, " --%s", cli_option_name(option));
}

/* Options that name a file or folder complete paths; everything else offers the command's own words. */
static void bash(struct buf *out)
{
    size_t count;
    const struct command *commands = cli_commands(&count);
    buf_text(out, "_gitops_pipe() {\n    local word=${COMP_WORDS[COMP_CWORD]} "
                  "before=${COMP_WORDS[COMP_CWORD-1]} words\n"
                  "    case \"$before\" in\n"
                  "        -o|--output) COMPREPLY=($(compgen -W 'text json yaml' -- \"$word\")); return ;;\n"
                  "        --secrets) COMPREPLY=($(compgen -W 'omit' -- \"$word\")); return ;;\n"
                  "        --format) COMPREPLY=($(compgen -W 'html markdown json' -- \"$word\")); return ;;\n"
                  "        -c|--config|--kubeconfig|--out|--from|--repository|--write-kubeconfig)\n"
                  "            COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n    esac\n"
                  "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words='");
    for (size_t i = 0; i < count; i++)
        buf_fmt(out, "%s%s", i ? " " : "", commands[i].name);
    buf_text(out, "'\n    else\n        case \"${COMP_WORDS[1]}\" in\n");
    for (size_t i = 0; i < count; i++) {
        buf_fmt(out, "            %s) words='", commands[i].name);
        each_option(out, &commands[i], bash_option);
        buf_text(out, "' ;;\n");
    }
    buf_text(
        out,
        "        esac\n    fi\n    case \"$word\" in\n        -*) COMPREPLY=($(compgen -W \"$words\" -- "
        "\"$word\")) ;;\n"
        "        *) if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\"));\n"
        "           else COMPREPLY=($(compgen -W 'latest' -- \"$word\") $(compgen -f -- \"$word\")); fi ;;\n "
        "   esac\n}\n"
        "complete -o filenames -F _gitops_pipe gitops-pipe\n");
}

static void quoted(struct buf *out, const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            buf_text(out, "'\\''");
        else
            buf_char(out, *text);
}

static void zsh_option(struct buf *out, const struct command *command, enum option_id option)
{
    const char *argument = cli_option_argument(option);
    buf_fmt(out, " \\\n                '--%s[", cli_option_name(option));
    for (const char *c = cli_option_help(option); *c; c++) {
        if (*c == '[' || *c == ']')
            buf_char(out, '\\');
        if (*c == '\'')
            buf_text(out, "'\\''");
        else
            buf_char(out, *c);
    }
    buf_fmt(out, "]%s%s%s'", argument ? ":" : "", argument ? argument : "", argument ? ":_files" : "");
}

static void zsh(struct buf *out)
{
    size_t count;
    const struct command *commands = cli_commands(&count);
    buf_text(out, "#compdef gitops-pipe\n_gitops_pipe() {\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; i < count; i++) {
        buf_fmt(out, "        '%s:", commands[i].name);
        quoted(out, commands[i].summary);
        buf_text(out, "'\n");
    }
    buf_text(
        out,
        "    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n"
        "    case \"$words[2]\" in\n");
    for (size_t i = 0; i < count; i++) {
        buf_fmt(out, "        %s)\n            _arguments", commands[i].name);
        each_option(out, &commands[i], zsh_option);
        buf_text(out, " \\\n                '*:file:_files'\n            ;;\n");
    }
    buf_text(out, "    esac\n}\ncompdef _gitops_pipe gitops-pipe\n");
}

static void fish_option(struct buf *out, const struct command *command, enum option_id option)
{
    buf_fmt(out, "complete -c gitops-pipe -n '__fish_seen_subcommand_from %s' -l %s", command->name,
            cli_option_name(option));
    if (cli_option_letter(option))
        buf_fmt(out, " -s %c", cli_option_letter(option));
    buf_fmt(out, "%s -d '", cli_option_argument(option) ? " -r" : "");
    quoted(out, cli_option_help(option));
    buf_text(out, "'\n");
}

static void fish(struct buf *out)
{
    size_t count;
    const struct command *commands = cli_commands(&count);
    for (size_t i = 0; i < count; i++) {
        buf_fmt(out, "complete -c gitops-pipe -n __fish_use_subcommand -f -a %s -d '", commands[i].name);
        quoted(out, commands[i].summary);
        buf_text(out, "'\n");
        each_option(out, &commands[i], fish_option);
    }
}

bool cmd_completion(struct cli *cli, struct err *err)
{
    static const struct {
        const char *name;
        void (*write)(struct buf *out);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    struct str shell;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1 << 20);
    if (!cli_argument(cli, 0, &shell, err))
        return false;
    for (size_t i = 0; i < COUNT_OF(shells); i++)
        if (str_is(shell, shells[i].name)) {
            shells[i].write(&out);
            return cli_write_out(buf_view(&out), err);
        }
    return err_set(err, ERR_USAGE, "no completion for \"%.*s\": bash, zsh or fish", STR_ARG(shell));
}
