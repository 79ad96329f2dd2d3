/* run: the whole pipeline. Phases are rows; each works on what the one before left and says in one line how it went.
 * A phase that fails ends the run, but the report is written whatever happened: that is when it is needed most. */
#include <inttypes.h>

#include "backupd/backup.h"
#include "backupd/load.h"
#include "backupd/verify.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "core/keys.h"
#include "core/kustomize/kustomize.h"
#include "core/secrets/protect.h"
#include "dr-scenarios/drill.h"
#include "dr-scenarios/preflight.h"
#include "overlays/overlays.h"
#include "overlays/publish.h"
#include "quality/report/report.h"
#include "quality/score.h"
#include "transform/transform.h"

struct pipeline {
    struct cli *cli;
    struct run *run;
    struct arena *arena;
    bool dry_run;
    struct bundle about;              /* what is known of the snapshot */
    struct stash *stash;              /* the snapshot; NULL until there is one */
    struct parts live;                /* of the stash */
    struct declared declared;         /* what became of it */
    struct value_list_builder phases; /* of the report */
    int64_t started_ms;
    struct err
        gate; /* a missed gate is told at the end: the repository should follow the cluster even then */
    bool gate_missed;
};

static bool is_skipped(const struct cli *cli, const char *name)
{
    return str_in(str_of(name), cli->options[OPTION_SKIP].items, cli->options[OPTION_SKIP].count);
}

/* What does not stand in the way of a backup, the one thing that cannot be made up for later: a type that may not be
 * read makes it incomplete, which says so itself; without git, publish fails when the rest is safe. */
static bool may_fail(struct str check)
{
    return str_is(check, "permissions") || str_is(check, "git");
}

static bool phase_preflight(struct pipeline *p, struct str *summary, struct err *err)
{
    size_t count = 0, failed = 0;
    VALUE_EACH(check, doctor_checks(p->cli)) {
        struct str name = value_str(value_key(check, "name")), next = value_str(value_key(check, "next"));
        if (str_is(name, "git") && is_skipped(p->cli, "publish"))
            continue;
        count++;
        if (value_true(value_key(check, "ok")))
            continue;
        if (may_fail(name)) {
            failed++;
            cli_warn(p->cli, "%.*s: %.*s", STR_ARG(name), STR_ARG(value_str(value_key(check, "message"))));
            continue;
        }
        err_set(err, ERR_UNREACHABLE, "%.*s: %.*s", STR_ARG(name),
                STR_ARG(value_str(value_key(check, "message"))));
        return next.len ? err_next(err, "%.*s", STR_ARG(next)) : false;
    }
    *summary = failed
                   ? str_fmt(p->arena, "%zu checks, %zu failed: gitops-pipe doctor says why", count, failed)
                   : str_fmt(p->arena, "%zu checks", count);
    return true;
}

/* Who encrypts without an identity at hand cannot read back what was stored. */
static bool may_read_back(const struct pipeline *p)
{
    return p->run->config->encrypt_recipients.count == 0 || keys_at_hand(p->run);
}

/* What the phases from here on work on. */
static void take_live(struct pipeline *p, struct stash *stash)
{
    stash_close(p->stash);
    p->stash = stash;
    p->about = *stash_about(stash);
    parts_of_stash(p->arena, stash, &p->live);
}

static bool read_and_store(struct pipeline *p, struct err *err)
{
    struct stash *stash;
    if (!cli_stash(p->cli, &stash, err))
        return false;
    bool made = backup_stash(p->run, stash, p->dry_run, err);
    take_live(p, stash);
    return made;
}

static bool phase_backup(struct pipeline *p, struct str *summary, struct err *err)
{
    bool made = cli_hooks_begin(p->cli, err) && read_and_store(p, err);
    if (!cli_hooks_end(p->cli, made, err))
        return false;
    bool lacking = value_in(run_report(p->run), PATH("backup", "lacking")) != NULL;
    p->cli->incomplete = !p->about.complete || lacking;
    *summary =
        str_fmt(p->arena, "%.*s objects, %s%s%.*s%s", STR_ARG(cli_thousands(p->arena, p->live.objects)),
                p->about.complete ? "complete" : "INCOMPLETE", p->about.backup_id.len ? ", " : "",
                STR_ARG(p->about.backup_id), lacking ? ", NOT in every store" : "");
    return true;
}

/* From here on the run works on what the store gives back, not on what it remembers. */
static bool phase_verify(struct pipeline *p, struct str *summary, struct err *err)
{
    struct stash *stored;
    bool clean;
    if (p->dry_run) {
        *summary = STR("dry run: nothing was stored");
        return true;
    }
    struct str cluster = p->about.cluster, id = p->about.backup_id;
    if (!backup_verify(p->run, cluster, id, &clean, err))
        return false;
    if (!clean)
        return err_set(err, ERR_CORRUPT, "the backup that was just made is damaged") ||
               err_next(err, "gitops-pipe verify %.*s names the packs; check the store's disk", STR_ARG(id));
    if (!may_read_back(p)) {
        *summary = STR("every hash holds; the packs are encrypted, and no identity is here to open them");
        return true;
    }
    if (!backup_load_stash(p->run, cluster, id, &stored, NULL, err))
        return false;
    take_live(p, stored);
    *summary = STR("every pack read again, hashes and counts hold");
    return true;
}

static bool phase_score(struct pipeline *p, struct str *summary, struct err *err)
{
    if (!score_parts(p->run, &p->live, err))
        return false;
    const struct value *score = value_key(run_report(p->run), "score");
    p->gate_missed = !score_gate(p->run->config, score, &p->gate);
    *summary =
        str_fmt(p->arena, "overall %.*s %.*s%s", STR_ARG(value_text(value_key(score, "overall"))),
                STR_ARG(value_str(value_key(score, "grade"))), p->gate_missed ? ", below the gate" : "");
    return true;
}

static bool phase_convert(struct pipeline *p, struct str *summary, struct err *err)
{
    struct transform_log log;
    if (!transform_declare(p->run, &p->live, backup_spool_dir(p->run), NULL, NULL, &p->declared, &log, err))
        return false;
    run_section(p->run, "transform", transform_section(p->arena, &log));
    if (!p->gate_missed)
        p->gate_missed = !cli_readable_gate(p->cli, &p->gate);
    *summary = str_fmt(p->arena, "%.*s objects declared, %.*s left out",
                       STR_ARG(cli_thousands(p->arena, log.declared)),
                       STR_ARG(cli_thousands(p->arena, log.objects - log.declared)));
    return true;
}

/* What the branch holds already, so that Secrets that did not change stay as they are written there. */
static void read_previous(struct pipeline *p)
{
    struct err err;
    if (p->declared.secrets.objects == 0 || p->run->config->git_url.len == 0 || is_skipped(p->cli, "publish"))
        return;
    if (!publish_previous(p->run, &err))
        cli_warn(p->cli, "Secrets are encrypted anew: %s", err.msg);
}

static bool phase_overlays(struct pipeline *p, struct str *summary, struct err *err)
{
    read_previous(p);
    if (!overlays_write(p->run, &p->declared, files_out_memory(p->arena, &p->run->files), err))
        return false;
    *summary = str_fmt(p->arena, "%.*s files", STR_ARG(cli_thousands(p->arena, p->run->files.count)));
    return true;
}

/* What does not render must not be published. */
static bool phase_render(struct pipeline *p, struct str *summary, struct err *err)
{
    const struct config_environments *environments = &p->run->config->environments;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new(); /* of one environment */
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4096);
    for (size_t i = 0; i < environments->count; i++, arena_reset(scratch)) {
        struct str name = environments->items[i].name;
        struct bundle rendered;
        struct str dir = str_fmt(p->arena, "overlays/%.*s", STR_ARG(name));
        if (!kustomize_build(scratch, &p->run->files, dir, &rendered, err))
            return err_context(err, "%.*s", STR_ARG(dir));
        preflight_check(p->arena, &rendered, &p->run->findings);
        buf_fmt(&text, "%s%.*s %zu", i ? ", " : "", STR_ARG(name), rendered.count);
    }
    buf_text(&text, " objects");
    *summary = str_dup(p->arena, buf_view(&text));
    return true;
}

/* Nor what cannot be explained. */
static bool phase_round_trip(struct pipeline *p, struct str *summary, struct err *err)
{
    const struct files_in files = {.files = &p->run->files};
    const struct value *section;
    if (!cli_round_trip(p->cli, &p->live, &p->declared.secrets, &files, &section, err))
        return false;
    run_section(p->run, "roundTrip", section);
    *summary = str_fmt(p->arena, "%zu unexplained differences, %.*s explained by %zu rules",
                       value_count(value_key(section, "unexplained")),
                       STR_ARG(value_text(value_key(section, "explained"))),
                       value_count(value_key(section, "rules")));
    return cli_round_trip_gate(section, err);
}

static bool phase_publish(struct pipeline *p, struct str *summary, struct err *err)
{
    stage_fn stage = p->dry_run ? publish_preview : publish_stage;
    if (!stage(p->run, &p->declared.outline, err))
        return false;
    const struct value *publish = value_key(run_report(p->run), "publish");
    size_t withheld = value_count(value_key(publish, "withheld"));
    struct str commit = str_slice(value_str(value_key(publish, "commit")), 0, 10);
    p->cli->incomplete = p->cli->incomplete || withheld != 0;
    if (!p->dry_run && withheld == 0 && !secrets_remember(p->run, false, err))
        return false;
    *summary = withheld
                   ? str_fmt(p->arena, "withheld: %zu objects would have been deleted by a hole", withheld)
               : value_true(value_key(publish, "changed"))
                   ? str_fmt(p->arena, "%s %.*s", p->dry_run ? "would commit on" : "commit", STR_ARG(commit))
                   : str_fmt(p->arena, "nothing changed, still %.*s", STR_ARG(commit));
    return true;
}

/* The snapshot is what is rehearsed with: its age, and its Secrets, which the repository leaves out. */
static bool phase_drill(struct pipeline *p, struct str *summary, struct err *err)
{
    if (p->dry_run) {
        *summary = STR("dry run: nothing was rebuilt");
        return true;
    }
    struct bundle snapshot;
    if (!stash_bundle_all(p->stash, p->arena, &snapshot, err) || !drill_stage(p->run, &snapshot, err))
        return false;
    const struct value *drill = value_key(run_report(p->run), "drill");
    int64_t ms = 0;
    value_i64(value_key(drill, "recoveryTimeMs"), &ms);
    *summary =
        str_fmt(p->arena, "%.*s rebuilt in %.*s on %.*s", STR_ARG(value_str(value_key(drill, "environment"))),
                STR_ARG(cli_duration(p->arena, ms)), STR_ARG(value_str(value_key(drill, "target"))));
    return true;
}

static bool phase_report(struct pipeline *p, struct str *summary, struct err *err);

/* An optional phase is one that no later phase builds on. */
static const struct phase {
    const char *name;
    bool optional;
    bool (*work)(struct pipeline *p, struct str *summary, struct err *err);
} phases[] = {
    {"preflight", true, phase_preflight}, {"backup", false, phase_backup},
    {"verify", true, phase_verify},       {"score", true, phase_score},
    {"convert", false, phase_convert},    {"overlays", false, phase_overlays},
    {"render", true, phase_render},       {"round-trip", true, phase_round_trip},
    {"publish", true, phase_publish},     {"drill", true, phase_drill},
    {"report", false, phase_report},
};

static const struct value *run_value(struct pipeline *p)
{
    struct arena *arena = p->arena;
    return VALUE_MAP(arena, {"started", value_string(arena, clock_rfc3339(arena, p->started_ms))},
                     {"finished", value_string(arena, clock_rfc3339(arena, clock_now_ms(p->run->clock)))},
                     {"sandbox", value_bool(arena, p->about.sandbox)},
                     {"cluster", value_string(arena, p->run->config->cluster_name)},
                     {"version", value_string(arena, p->about.server_version)},
                     {"phases", value_list_done(arena, &p->phases)});
}

static bool phase_report(struct pipeline *p, struct str *summary, struct err *err)
{
    run_section(p->run, "run", run_value(p));
    if (p->dry_run) {
        *summary = STR("dry run: not written");
        return true;
    }
    if (!report_stage(p->run, &p->declared.outline, err))
        return false;
    *summary = str_fmt(p->arena, "%.*s/report.html", STR_ARG(p->run->config->report_dir));
    return true;
}

static void add_phase(struct pipeline *p, const char *name, bool ok, int64_t ms, struct str summary)
{
    struct arena *arena = p->arena;
    value_push(arena, &p->phases,
               VALUE_MAP(arena, {"name", value_cstr(arena, name)}, {"ok", value_bool(arena, ok)},
                         {"ms", value_int(arena, ms)}, {"summary", value_string(arena, summary)}));
}

static bool run_phase(struct pipeline *p, size_t index, struct err *err)
{
    const struct phase *phase = &phases[index];
    struct str summary = STR_NONE;
    int64_t from = clock_monotonic_ms();
    if (is_skipped(p->cli, phase->name)) {
        add_phase(p, phase->name, true, 0, STR("skipped"));
        return true;
    }
    cli_note(p->cli, "[%zu/%zu] %s", index + 1, COUNT_OF(phases), phase->name);
    bool ok = phase->work(p, &summary, err);
    if (!ok)
        summary = str_dup(p->arena, str_of(err->msg));
    add_phase(p, phase->name, ok, clock_monotonic_ms() - from, summary);
    return ok || err_context(err, "%s", phase->name);
}

static bool check_skips(const struct cli *cli, struct err *err)
{
    for (size_t i = 0; i < cli->options[OPTION_SKIP].count; i++) {
        struct str name = cli->options[OPTION_SKIP].items[i];
        bool may = false;
        for (size_t j = 0; j < COUNT_OF(phases); j++)
            may = may || (phases[j].optional && str_is(name, phases[j].name));
        if (!may) {
            err_set(err, ERR_USAGE, "--skip %.*s: no phase that may be skipped", STR_ARG(name));
            return err_next(err, "these may: preflight, verify, score, render, round-trip, publish, drill");
        }
    }
    return true;
}

static void print_run(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct config *config = &cli->config;
    cli_write_steps(cli, value_in(result, PATH("run", "phases")), out);
    if (value_true(value_in(result, PATH("run", "sandbox"))))
        buf_text(
            out,
            "\n The cluster was the sandbox, a stand-in: this shows the pipeline, not a real cluster.\n");
    if (value_key(result, "backup") != NULL)
        buf_fmt(out, "\n backup      %.*s in %.*s\n", STR_ARG(value_str_in(result, PATH("backup", "id"))),
                STR_ARG(value_str_in(result, PATH("backup", "store"))));
    if (value_key(result, "publish") != NULL)
        buf_fmt(out, " repository  %.*s, branch %.*s\n",
                STR_ARG(value_str_in(result, PATH("publish", "url"))), STR_ARG(config->git_branch));
    if (!cli_has(cli, OPTION_DRY_RUN))
        buf_fmt(out, " report      %.*s/report.{html,json,md}\n", STR_ARG(config->report_dir));
}

bool cmd_run(struct cli *cli, struct err *err)
{
    struct pipeline p = {
        .cli = cli, .run = &cli->run, .arena = cli->arena, .dry_run = cli_has(cli, OPTION_DRY_RUN)};
    size_t last = COUNT_OF(phases) - 1;
    bool ok = true;
    if (!check_skips(cli, err))
        return false;
    p.started_ms = clock_now_ms(&cli->clock);
    for (size_t i = 0; ok && i < last; i++)
        ok = run_phase(&p, i, err);
    struct err report_err = {0};
    bool reported = run_phase(&p, last, &report_err);
    run_section(p.run, "run", run_value(&p));
    declared_close(&p.declared);
    stash_close(p.stash);
    if (ok && !reported)
        *err = report_err;
    struct err print_err = {0};
    if (!cli_print(cli, run_report(p.run), print_run, &print_err) && ok && reported) {
        *err = print_err;
        return false;
    }
    if (ok && reported && p.gate_missed) {
        *err = p.gate;
        return false;
    }
    return ok && reported;
}
