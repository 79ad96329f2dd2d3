/* cli.h — what every cmd_<verb>.c is handed, and what the commands share.
 *
 * A command is one function in one file and one row of commands.def. It prints its result through cli_print, on
 * stdout, and nothing else there; faults go into `err`, which main prints on stderr with what to do next.
 */
#pragma once
#include <stdio.h>

#include "core/base/files_in.h"
#include "core/config/config.h"
#include "core/kube/kube.h"
#include "core/kube/parts.h"
#include "core/run.h"

#define GITOPS_PIPE_CONFIG_FILE "gitops-pipe.yaml"

enum option_id {
#define OPTION(symbol, name, letter, argument, help) OPTION_##symbol,
#include "cli/options.def"
#undef OPTION
    OPTION_COUNT
};

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_YAML };

struct cli;

struct command {
    const char *name;
    bool (*function)(struct cli *cli, struct err *err);
    const char *arguments, *options, *summary, *help;
};

struct cli {
    struct arena *arena;
    const struct command *command;
    struct str_list arguments;
    struct str_list options[OPTION_COUNT]; /* values in the order given; a switch has an empty one */
    enum output_format format;
    bool colour_out, colour_err, log_json;
    struct config config;
    struct clock clock;
    struct run run;
    struct cli_watch *watch; /* for signals while hooks are due (hooks.c) */
    bool incomplete;         /* the command did its work and left a hole: exit with INCOMPLETE */
    bool damaged;            /* and what is missing there is damaged in the store: exit with CORRUPT */
    bool differs; /* it did its work and found differences: exit with FINDINGS, without a word on stderr */
};

/* Reading the command line (options.c). */
bool cli_parse(struct cli *cli, int argc, char **argv, struct err *err) WARN_UNUSED;
const struct command *cli_commands(size_t *ret_count);
const struct command *cli_command_find(struct str name);
bool cli_command_takes(const struct command *command, enum option_id option);
const char *cli_option_name(enum option_id option);
char cli_option_letter(enum option_id option);          /* 0 without */
const char *cli_option_argument(enum option_id option); /* NULL for a switch */
const char *cli_option_help(enum option_id option);
bool cli_has(const struct cli *cli, enum option_id option);
struct str cli_option(const struct cli *cli, enum option_id option); /* the last value given; empty without */

/* Help (help.c). */
void cli_help(FILE *out, const struct command *command); /* NULL: the overview */
/* A chapter of the manual, docs/<topic>.md, that tables write (manual.c); false where there is none. */
bool cli_manual(struct str topic, struct buf *text);

/* Results (output.c). `text` writes the text form; JSON and YAML come from `result` itself. */
typedef void (*cli_text_fn)(struct cli *cli, const struct value *result, struct buf *out);
bool cli_print(struct cli *cli, const struct value *result, cli_text_fn text, struct err *err) WARN_UNUSED;
bool cli_write_out(struct str text, struct err *err) WARN_UNUSED; /* to stdout, all of it */
/* The reader of stdout has gone (`| head -1`): ends the process as every other program of a pipe ends, by SIGPIPE. */
void cli_reader_left(void);
/* One line on stderr while a command works, unless --quiet. */
void cli_note(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same for what must be seen: --quiet does not silence it. */
void cli_warn(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cli_print_error(const struct cli *cli, const struct err *err);
const char *cli_mark(const struct cli *cli, bool ok); /* ✔ or ✘, in its colour where stdout has colours */
/* Steps as reports hold them, [{name, ok, ms, summary}], a line each: the phases of a run, the steps of a drill. */
void cli_write_steps(struct cli *cli, const struct value *steps, struct buf *out);
struct str cli_bytes(struct arena *arena, uint64_t bytes);      /* "6.1 MB" */
struct str cli_thousands(struct arena *arena, uint64_t number); /* "14 210" */
struct str cli_duration(struct arena *arena, int64_t ms);       /* "1.4 s" */

/* Progress on stderr (progress.c): bars on a terminal, plain lines elsewhere, JSON lines on request. */
struct progress *cli_progress(struct arena *arena, bool terminal, bool colour, bool json);

/* Configuration and the things a run needs, opened when a command first asks (setup.c). */
bool cli_setup(struct cli *cli, struct err *err) WARN_UNUSED;
void cli_tell_store_notes(struct cli *cli); /* warns of every store that another one stood in for */
/* This mode for every Secret, whatever the configuration says. */
void cli_secrets_mode(struct cli *cli, enum secrets_mode mode);
void cli_close(struct cli *cli); /* what was opened on the way */
bool cli_need_store(struct cli *cli, struct err *err) WARN_UNUSED;
bool cli_need_kube(struct cli *cli, struct err *err) WARN_UNUSED;
/* The argument at `index`, or USAGE with the command's own arguments. */
bool cli_argument(struct cli *cli, size_t index, struct str *ret, struct err *err) WARN_UNUSED;

/* What configuration and command line take of a cluster (selection.c). */
bool cli_selection(struct cli *cli, struct kube_selection *ret_selection, struct err *err) WARN_UNUSED;
/* Reads the cluster that the configuration names (cmd_backup.c); stash_close when done. */
bool cli_stash(struct cli *cli, struct stash **ret_stash, struct err *err) WARN_UNUSED;
/* What a selection takes of it. The cluster is open already. */
bool cli_stash_of(struct cli *cli, const struct kube_selection *selection, struct stash **ret_stash,
                  struct err *err) WARN_UNUSED;
/* The same as one bundle in memory. */
bool cli_snapshot(struct cli *cli, struct bundle *ret_bundle, struct err *err) WARN_UNUSED;

/* Commands around a backup (hooks.c). After cli_hooks_begin, whatever it returned, comes cli_hooks_end, which runs what
 * is due; `made` says whether the backup was, and comes back false where it was interrupted at the last moment. */
bool cli_hooks_begin(struct cli *cli, struct err *err) WARN_UNUSED;
bool cli_hooks_end(struct cli *cli, bool made, struct err *err) WARN_UNUSED;
void cli_write_hooks(struct cli *cli, const struct value *hooks, struct buf *out); /* a line each */

/* backup --shard (shard.c), and what it says as backup does. */
bool cli_backup_shard(struct cli *cli, struct err *err) WARN_UNUSED;
void cli_print_backup(struct cli *cli, const struct value *result, struct buf *out);
/* INCOMPLETE, naming the first of the types that are missing. */
bool cli_tell_hole(const struct value *missing, struct err *err);

/* <backup|dir|file|-> to a bundle (source.c): an existing path, "-", else an id or "latest" in the store. */
bool cli_is_path(struct cli *cli, struct str what); /* it exists on disk, or is "-" */
bool cli_load(struct cli *cli, struct str what, struct bundle *ret_bundle, struct err *err) WARN_UNUSED;
/* The same without holding the whole; stash_close when done. */
bool cli_load_stash(struct cli *cli, struct str what, struct stash **ret_stash, struct err *err) WARN_UNUSED;
/* Warns of each kind that nothing is known of: it is kept as it is, and the server it goes to may not know it either. */
bool cli_tell_unknown_kinds(struct cli *cli, struct stash *stash, struct err *err) WARN_UNUSED;
/* Which cluster's backups `which` means: --cluster, else for "latest" the configured cluster; empty: any. */
struct str cli_cluster(const struct cli *cli, struct str which);

/* Whether a folder is a repository that convert wrote (repository.c). */
bool cli_is_repository(struct cli *cli, struct str dir);
/* The backup that such a repository was written from; an empty bundle when it was made from manifests. */
bool cli_load_origin(struct cli *cli, struct str dir, struct bundle *ret_snapshot,
                     struct err *err) WARN_UNUSED;
/* Secrets of the folder that did not change keep the ciphertext that they have there. A folder that is not there has
 * none. */
void cli_set_previous(struct cli *cli, struct str dir);
/* Transforms and writes the repository into run.files. */
bool cli_convert(struct cli *cli, const struct bundle *live, struct bundle *ret_declared,
                 struct err *err) WARN_UNUSED;
/* Renders `files`, which were made from `live`, and holds them against it; `secrets` are those that were set aside
 * (round_trip.c). The section of the report:
 * {objects, explained, rules, environments: [{name, steps}], unexplained: [{resource, path, what}]}. */
bool cli_round_trip(struct cli *cli, const struct parts *live, const struct parts *secrets,
                    const struct files_in *files, const struct value **ret_section,
                    struct err *err) WARN_UNUSED;
/* FINDINGS when anything is unexplained. */
bool cli_round_trip_gate(const struct value *section, struct err *err) WARN_UNUSED;
void cli_write_round_trip(struct cli *cli, const struct value *section, struct buf *out);
/* FINDINGS when values of Secrets were written readable, which secrets.inTheClear allowed, and quality.failOn is set. */
bool cli_readable_gate(struct cli *cli, struct err *err) WARN_UNUSED;
/* --timeout, or 0 without. */
bool cli_timeout(struct cli *cli, int64_t *ret_ms, struct err *err) WARN_UNUSED;

#define COMMAND(name, function, arguments, options, summary, help)                                           \
    bool function(struct cli *cli, struct err *err);
#include "cli/commands.def"
#undef COMMAND
