/* gitops-pipe: reads the command line, runs one command, says what went wrong. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/base/secrecy.h"
#include "core/base/version.h"

/* From the table, at compile time: a signal handler calls nothing it need not. */
enum {
#define ERR(symbol, exit_status, http_status, meaning) EXIT_##symbol = exit_status,
#include "core/base/err.def"
#undef ERR
};

/* Every stage may be killed at any moment without losing anything (see docs/decisions), so an interrupt needs no more
 * than the right words and the right status. */
static void interrupted(int number)
{
    static const char text[] = "\ninterrupted; nothing is half done, run it again and it goes on\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(EXIT_INTERRUPTED);
}

/* With a standard stream closed (cron, some supervisors) the next file or socket opened would take its number, and
 * what is printed would go into it: hold the numbers. /dev/null opened read-only still refuses what is written to
 * it, so a lost result is a fault and not a success. */
static void hold_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null",
                  O_RDONLY); /* takes the lowest free number; never closed while it is a stream's */
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void catch_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);
}

/* Whoever reads only the last line must not take what is left of a backup for all of it. */
static void tell_damage(struct cli *cli)
{
    struct err err = {0};
    err_set(&err, ERR_CORRUPT, "the backup is damaged: what is named above was left out");
    err_next(&err, "`gitops-pipe verify` names every damaged pack; a new backup sends again what the cluster "
                   "still has");
    cli_print_error(cli, &err);
}

static int status_of(struct cli *cli, bool ok, const struct err *err)
{
    cli_tell_store_notes(cli);
    if (ok && cli->damaged)
        tell_damage(cli);
    if (ok)
        return err_exit_status(cli->differs      ? ERR_FINDINGS
                               : cli->damaged    ? ERR_CORRUPT
                               : cli->incomplete ? ERR_INCOMPLETE
                                                 : ERR_NONE);
    cli_print_error(cli, err);
    return err_exit_status(err->code);
}

static bool dispatch(struct cli *cli, int argc, char **argv, struct err *err)
{
    if (!cli_parse(cli, argc, argv, err))
        return false;
    if (cli_has(cli, OPTION_VERSION)) {
        puts("gitops-pipe " GITOPS_PIPE_VERSION);
        return true;
    }
    if (cli_has(cli, OPTION_HELP) || cli->command == NULL) {
        cli_help(cli->command || cli_has(cli, OPTION_HELP) ? stdout : stderr, cli->command);
        if (cli->command || cli_has(cli, OPTION_HELP))
            return true;
        return err_set(err, ERR_USAGE, "a command is missing");
    }
    return cli_setup(cli, err) && cli->command->function(cli, err);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct arena *arena = arena_new();
    struct cli cli = {.arena = arena};
    hold_standard_streams();
    secrecy_of_process();
    catch_signals();
    const char *wish = getenv("NO_COLOR");
    bool no_colour = wish != NULL && *wish != '\0';
    cli.colour_out = !no_colour && isatty(STDOUT_FILENO);
    cli.colour_err = !no_colour && isatty(STDERR_FILENO);
    int status = status_of(&cli, dispatch(&cli, argc, argv, &err), &err);
    cli_close(&cli);
    if (fflush(stdout) != 0 && errno == EPIPE)
        cli_reader_left();
    if (ferror(stdout) && status == 0)
        status = err_exit_status(ERR_IO);
    arena_free(arena);
    return status;
}
