/* backupd — the daemon: the same stages as the command line, behind HTTP and a schedule. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backupd/daemon/server.h"
#include "core/base/secrecy.h"
#include "core/base/version.h"

enum { PATIENCE_MS = 800 }; /* a stop takes less than a second */

static const char help[] =
    "Usage: backupd [options]\n"
    "\n"
    "The engine of gitops-pipe as a service. Today it answers GET /health; jobs over HTTP are still to "
    "come.\n"
    "Stops on SIGTERM or SIGINT, after the requests in flight.\n"
    "\n"
    "  --listen ADDRESS:PORT  where to listen (127.0.0.1:8080); port 0 takes a free one\n"
    "  --allow-remote         listen on an address that is not loopback; put authentication in front\n"
    "  --help                 this text\n"
    "  --version              the version\n"
    "\n"
    "Example: backupd --listen 127.0.0.1:9090 & curl http://127.0.0.1:9090/health\n";

static int usage(const char *why, const char *what)
{
    fprintf(stderr, "backupd: %s%s\n  → backupd --help\n", why, what);
    return err_exit_status(ERR_USAGE);
}

static int fail(const struct err *err)
{
    fprintf(stderr, "backupd: %s\n", err->msg);
    if (err->next[0])
        fprintf(stderr, "  → %s\n", err->next);
    return err_exit_status(err->code);
}

static int serve(const struct daemon_options *options)
{
    struct daemon *daemon;
    struct err err = {0};
    sigset_t stops;
    int which = 0;

    /* Blocked before any thread starts, so that every thread leaves them to sigwait. */
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    signal(SIGPIPE, SIG_IGN);

    if (!daemon_start(options, &daemon, &err))
        return fail(&err);
    fprintf(stderr, "backupd %s: listening on http://%s\n", GITOPS_PIPE_VERSION, daemon_address(daemon));
    sigwait(&stops, &which);
    fprintf(stderr, "backupd: %s, stopping\n", strsignal(which));
    daemon_stop(daemon, PATIENCE_MS);
    return 0;
}

int main(int argc, char **argv)
{
    enum { LISTEN = 1, REMOTE, HELP, VERSION };
    static const struct option known[] = {{"listen", required_argument, NULL, LISTEN},
                                          {"allow-remote", no_argument, NULL, REMOTE},
                                          {"help", no_argument, NULL, HELP},
                                          {"version", no_argument, NULL, VERSION},
                                          {0}};
    struct daemon_options options = {.listen = "127.0.0.1:8080"};
    int option;
    secrecy_of_process();
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1)
        switch (option) {
        case LISTEN: options.listen = optarg; break;
        case REMOTE: options.allow_remote = true; break;
        case HELP: fputs(help, stdout); return 0;
        case VERSION: puts("backupd " GITOPS_PIPE_VERSION); return 0;
        case ':': return usage("a value is missing after ", argv[optind - 1]);
        default: return usage("unknown option ", argv[optind - 1]);
        }
    if (optind < argc)
        return usage("unexpected argument ", argv[optind]);
    return serve(&options);
}
