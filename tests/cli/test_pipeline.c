/* The program against a cluster, as cron and people use it: the whole way, and every kind of bad input. The cluster is
 * the sandbox; the live tests do the same with real parts. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/cli/shop.h"

/* The one pack file of the store that is the largest. */
static const char *largest_pack(struct shop *shop)
{
    const char *folder = in_shop(shop, "store/packs"), *largest = NULL;
    off_t most = -1;
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat info;
        const char *path = str_c(shop->arena, str_fmt(shop->arena, "%s/%s", folder, entry->d_name));
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > most) {
            most = info.st_size;
            largest = path;
        }
    }
    closedir(dir);
    cr_assert_not_null(largest);
    return largest;
}

Test(pipeline, run_goes_all_the_way_and_a_second_run_commits_nothing)
{
    struct shop shop = open_shop();
    struct program_result first = PIPE(&shop, "run", "-q", "-o", "json");
    cr_assert_eq(first.status, 0, "%.*s", STR_ARG(first.err));
    const struct value *report = json_of(&shop, first);
    cr_expect(value_true(value_in(report, PATH("backup", "complete"))));
    cr_expect(value_true(value_in(report, PATH("verify", "clean"))));
    cr_expect(value_true(value_in(report, PATH("publish", "changed"))));
    cr_expect(value_true(value_in(report, PATH("drill", "ok"))));
    cr_expect(value_true(value_in(report, PATH("drill", "sandbox"))));
    cr_expect(str_is(value_text(value_in(report, PATH("drill", "objects", "missing"))), "0"));
    cr_expect(str_is(value_text(value_in(report, PATH("drill", "objects", "different"))), "0"));
    static const char *const files[] = {"report/report.html", "report/report.json", "report/report.md"};
    for (size_t i = 0; i < COUNT_OF(files); i++)
        cr_expect_eq(access(in_shop(&shop, files[i]), R_OK), 0, "%s", files[i]);

    const struct value *again = json_of(&shop, PIPE(&shop, "run", "-q", "-o", "json"));
    cr_expect_not(value_true(value_in(again, PATH("publish", "changed"))), "nothing changed, no commit");
    cr_expect(
        value_equal(value_in(again, PATH("publish", "commit")), value_in(report, PATH("publish", "commit"))));
    cr_expect(str_is(value_text(value_in(again, PATH("backup", "packs", "new"))), "0"),
              "nothing is sent twice");
    close_shop(&shop);
}

/* A backup of a part, made for once, must not make the repository forget the rest. */
Test(pipeline, a_part_of_the_cluster_is_marked_and_never_published_as_the_whole)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "run", "-q", "--skip", "drill").status, 0);
    struct program_result part =
        PIPE(&shop, "backup", "-q", "--namespace", "production-*", "--type", "services", "--type",
             "namespaces", "-l", "app.kubernetes.io/name=backend");
    cr_assert_eq(part.status, 0, "%.*s", STR_ARG(part.err));
    struct program_result shown = PIPE(&shop, "show", "latest", "-q");
    cr_expect(str_contains(shown.out, STR("\"labels\":\"app.kubernetes.io/name=backend\"")), "%.*s",
              STR_ARG(shown.out));
    cr_expect(str_contains(shown.out, STR("2  services ")) || str_contains(shown.out, STR("1  services ")),
              "%.*s", STR_ARG(shown.out));
    cr_expect(str_contains(PIPE(&shop, "list", "-q").out, STR("complete, a part of the cluster")));
    cr_assert_eq(PIPE(&shop, "convert", "latest", "--out", "part", "-q").status, 0);
    struct program_result published = PIPE(&shop, "publish", "part", "-q");
    cr_expect_eq(published.status, 3, "%.*s", STR_ARG(published.err));
    cr_expect(str_contains(published.out, STR("withheld")) ||
                  str_contains(published.err, STR("part of the cluster")),
              "%.*s %.*s", STR_ARG(published.out), STR_ARG(published.err));
    expect_refused(PIPE(&shop, "backup", "-q", "--preset", "all"), 2, "there is no preset");
    expect_refused(PIPE(&shop, "backup", "-q", "-l", "a in (b"), 2, "label selector");

    struct program_result declared = PIPE(&shop, "backup", "-q", "-o", "json", "--preset", "declared");
    struct program_result all = PIPE(&shop, "backup", "-q", "-o", "json", "--preset", "everything");
    int64_t few = 0, many = 0;
    cr_assert(value_i64(value_key(json_of(&shop, declared), "objects"), &few));
    cr_assert(value_i64(value_key(json_of(&shop, all), "objects"), &many));
    cr_expect(few > 0 && few < many);
    close_shop(&shop);
}

Test(pipeline, shards_make_one_backup_with_what_one_process_makes)
{
    struct shop shop = open_shop();
    const struct value *alone = json_of(&shop, PIPE(&shop, "backup", "-q", "-o", "json"));
    struct program_result first = PIPE(&shop, "backup", "-q", "--run", "night", "--shard", "1/2");
    cr_assert_eq(first.status, 0, "%.*s", STR_ARG(first.err));
    cr_expect(str_contains(first.out, STR("shard 1 of run night is in")) &&
                  str_contains(first.out, STR("waiting for 0/2")),
              "%.*s", STR_ARG(first.out));
    cr_expect_eq(value_count(json_of(&shop, PIPE(&shop, "list", "-q", "-o", "json"))), 1, "not yet");
    const struct value *together =
        json_of(&shop, PIPE(&shop, "backup", "-q", "-o", "json", "--run", "night", "--shard", "0/2"));
    cr_expect(value_true(value_in(together, PATH("shard", "published"))));
    cr_expect(value_equal(value_key(together, "objects"), value_key(alone, "objects")));
    cr_expect_eq(PIPE(&shop, "verify", "latest", "-q").status, 0);
    cr_expect_eq(value_count(json_of(&shop, PIPE(&shop, "list", "-q", "-o", "json"))), 2);
    expect_refused(PIPE(&shop, "backup", "-q", "--shard", "0/2"), 2, "--run NAME");
    expect_refused(PIPE(&shop, "backup", "-q", "--shard", "2/2", "--run", "x"), 2, "INDEX/NUMBER");
    expect_refused(PIPE(&shop, "backup", "-q", "--shard", "0/3", "--run", "night"), 2,
                   "another number of shards");
    close_shop(&shop);
}

Test(pipeline, the_score_has_the_documented_shape)
{
    struct shop shop = open_shop();
    const struct value *score = json_of(&shop, PIPE(&shop, "backup", "-q", "-o", "json"));
    cr_expect(value_str_in(score, PATH("id")).len != 0);
    score = json_of(&shop, PIPE(&shop, "score", "latest", "-q", "-o", "json"));
    int64_t overall = -1;
    cr_expect(value_i64(value_key(score, "overall"), &overall) && overall >= 92 && overall <= 100);
    static const char *const dimensions[] = {"schema", "security", "production", "resources"};
    for (size_t i = 0; i < COUNT_OF(dimensions); i++)
        cr_expect_not_null(value_key(value_key(score, "dimensions"), dimensions[i]), "%s", dimensions[i]);
    static const char *const keys[] = {"check", "severity", "dimension", "resource",
                                       "path",  "message",  "fix"};
    const struct value *finding = value_item(value_key(score, "findings"), 0);
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        cr_expect_not_null(value_key(finding, keys[i]), "%s", keys[i]);
    close_shop(&shop);
}

Test(pipeline, convert_refuses_secrets_until_a_mode_is_chosen_and_never_writes_their_values)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    put_in_shop(
        &shop, "undecided.yaml",
        "apiVersion: gitops-pipe.io/v1\nkind: Pipeline\ncluster: {kubeconfig: kubeconfig}\nstores: [{url: "
        "'file:store'}]\n");
    expect_refused(PIPE(&shop, "convert", "latest", "--out", "repo", "-c", "undecided.yaml", "-q"), 5,
                   "Secret");
    cr_expect_neq(access(in_shop(&shop, "repo"), F_OK), 0, "nothing was written");
    cr_assert_eq(
        PIPE(&shop, "convert", "latest", "--out", "repo", "-c", "undecided.yaml", "--secrets", "omit").status,
        0);
    struct program_result found =
        program_run(shop.arena, "gitops-pipe", shop.dir,
                    (const char *const[]){"render", "repo/overlays/prod", "-o", "json", NULL}, STR_NONE);
    VALUE_EACH(object, value_key(json_of(&shop, found), "items"))
        if (str_is(value_str(value_key(object, "kind")), "Secret"))
            cr_expect_null(value_key(object, "data"), "%.*s",
                           STR_ARG(value_str_in(object, PATH("metadata", "name"))));
    close_shop(&shop);
}

Test(pipeline, a_cluster_that_cannot_be_used_gets_one_clear_line_and_exit_6)
{
    struct shop shop = open_shop();
    put_in_shop(
        &shop, "nobody",
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: "
        "'http://127.0.0.1:1'}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: x}}]\n");
    expect_refused(PIPE(&shop, "backup", "-q", "--kubeconfig", "nobody"), 6, "127.0.0.1:1");
    struct str url = sandbox_url(shop.sandbox);
    put_in_shop(
        &shop, "wrong-token",
        str_c(shop.arena, str_fmt(shop.arena,
                                  "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, "
                                  "cluster: {server: '%.*s'}}]\n"
                                  "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, "
                                  "user: {token: sesame}}]\n",
                                  STR_ARG(url))));
    struct program_result wrong = PIPE(&shop, "backup", "-q", "--kubeconfig", "wrong-token");
    expect_refused(wrong, 6, "401");
    cr_expect_not(str_contains(wrong.err, STR("sesame")), "a token is never shown");
    expect_refused(PIPE(&shop, "backup", "-q", "--kubeconfig", "no-such-file"), 4, "no-such-file");
    struct program_result listed = PIPE(&shop, "list", "-q", "-o", "json");
    cr_expect_eq(value_count(json_of(&shop, listed)), 0, "no failure left a backup behind");
    close_shop(&shop);
}

Test(pipeline, a_forbidden_type_makes_the_backup_incomplete_and_says_so)
{
    struct shop shop = open_shop();
    sandbox_fault(shop.sandbox,
                  &(struct sandbox_fault){.kind = SANDBOX_FORBID, .match = "/api/v1/*configmaps"});
    struct program_result result = PIPE(&shop, "backup", "-q", "-o", "json");
    cr_expect_eq(result.status, 3, "%.*s", STR_ARG(result.err));
    const struct value *missing = value_item(value_key(json_of(&shop, result), "missing"), 0);
    cr_expect(str_is(value_str(value_key(missing, "type")), "configmaps"));
    cr_expect_eq(PIPE(&shop, "backup", "-q", "--allow-missing", "configmaps").status, 0);
    close_shop(&shop);
}

/* Flips, cuts and removals of a pack: each is named by verify and stops every reader. */
Test(pipeline, a_damaged_pack_is_named_and_exits_7)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    const char *pack = largest_pack(&shop);
    chmod(pack, 0600);
    int fd = open(pack, O_RDWR);
    char byte;
    cr_assert(fd >= 0 && pread(fd, &byte, 1, 100) == 1);
    byte ^= 1;
    cr_assert(pwrite(fd, &byte, 1, 100) == 1);
    expect_refused(PIPE(&shop, "verify", "latest", "-q"), 7, "its hash is not what its name says");
    expect_refused(PIPE(&shop, "score", "latest", "-q"), 7, "error: the backup is damaged");
    expect_refused(PIPE(&shop, "convert", "latest", "--out", "repo", "-q"), 7, "pack");
    cr_assert(ftruncate(fd, 50) == 0);
    close(fd);
    expect_refused(PIPE(&shop, "verify", "latest", "-q"), 7, "cut short");
    cr_expect_eq(PIPE(&shop, "backup", "-q").status, 0, "the next backup repairs it");
    cr_expect_eq(PIPE(&shop, "verify", "latest", "-q").status, 0);
    close_shop(&shop);
}

Test(pipeline, an_unknown_backup_exits_4)
{
    struct shop shop = open_shop();
    expect_refused(PIPE(&shop, "show", "latest", "-q"), 4, "gitops-pipe backup");
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    expect_refused(PIPE(&shop, "score", "20200101T000000", "-q"), 4, "gitops-pipe list");
    close_shop(&shop);
}

Test(pipeline, malformed_manifests_are_named_with_file_line_and_column_and_the_rest_goes_on)
{
    struct shop shop = open_shop();
    struct err err;
    cr_assert(file_make_dirs(in_shop(&shop, "manifests"), &err), "%s", err.msg);
    put_in_shop(&shop, "manifests/bad.yaml", "apiVersion: v1\nkind: ConfigMap\n  metadata: {name: x\n");
    put_in_shop(&shop, "manifests/good.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good, namespace: shop}\ndata: {a: b}\n");
    expect_refused(PIPE(&shop, "convert", "manifests", "--out", "repo", "-q"), 3, "bad.yaml:3:");
    cr_expect_eq(access(in_shop(&shop, "repo/base/shop/configmap-good.yaml"), R_OK), 0);
    expect_refused(PIPE(&shop, "score", "manifests/bad.yaml", "-q"), 2, "bad.yaml");
    close_shop(&shop);
}

Test(pipeline, init_finds_the_cluster_and_what_it_writes_works_at_once)
{
    struct shop shop = open_shop();
    struct program_result made = PIPE(&shop, "init", "new", "--kubeconfig", "kubeconfig", "-q");
    cr_expect_eq(made.status, 0, "%.*s", STR_ARG(made.err));
    cr_expect(str_contains(made.out, STR("cluster sandbox, v1.36.0-sandbox")), "%.*s", STR_ARG(made.out));
    struct program_result backup = PIPE(&shop, "backup", "-q", "-c", "new/gitops-pipe.yaml");
    cr_expect_eq(backup.status, 0, "%.*s", STR_ARG(backup.err));
    cr_expect_eq(access(in_shop(&shop, "new/backups/packs"), F_OK), 0,
                 "the store is beside its configuration");
    close_shop(&shop);
}

Test(pipeline, a_folder_of_manifests_works_where_a_backup_does)
{
    static const char *const verbs[] = {"show", "verify", "score"};
    struct shop shop = open_shop();
    char estate[4096];
    cr_assert_not_null(realpath("testdata/estates/production-simulation", estate));
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        struct program_result result = PIPE(&shop, verbs[i], estate, "-q", "-o", "json");
        cr_expect_eq(result.status, 0, "%s: %.*s", verbs[i], STR_ARG(result.err));
        cr_expect_gt(value_count(json_of(&shop, result)), 0, "%s", verbs[i]);
    }
    cr_expect_eq(PIPE(&shop, "convert", estate, "--out", "repo", "-q").status, 0);
    struct program_result again = PIPE(&shop, "score", "repo/overlays/prod", "-q", "-o", "json");
    cr_expect_eq(again.status, 0, "a kustomization is rendered: %.*s", STR_ARG(again.err));
    close_shop(&shop);
}

Test(pipeline, uncommitted_changes_in_the_target_are_never_overwritten)
{
    struct shop shop = open_shop();
    const char *tree = in_shop(&shop, "tree");
    GIT(shop.dir, "init", "-q", "--initial-branch=main", "tree");
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    put_in_shop(&shop, "local.yaml",
                str_c(shop.arena,
                      str_fmt(shop.arena,
                              "apiVersion: gitops-pipe.io/v1\nkind: Pipeline\nstores: [{url: 'file:store'}]\n"
                              "secrets: {mode: omit}\ngit: {url: '%s'}\n",
                              tree)));
    cr_assert_eq(PIPE(&shop, "convert", "latest", "--out", "repo", "-q", "-c", "local.yaml").status, 0);
    cr_assert_eq(PIPE(&shop, "publish", "repo", "-q", "-c", "local.yaml").status, 0);
    GIT(tree, "reset", "-q", "--hard");
    put_in_shop(&shop, "tree/README.md", "my own words\n");
    put_in_shop(&shop, "repo/README.md", "another text\n");
    expect_refused(PIPE(&shop, "publish", "repo", "-q", "-c", "local.yaml"), 5, "README.md");
    struct str kept;
    struct err err;
    cr_assert(file_read(shop.arena, in_shop(&shop, "tree/README.md"), 1 << 20, &kept, &err), "%s", err.msg);
    cr_expect(str_is(kept, "my own words\n"));
    close_shop(&shop);
}

/* A limit on file sizes stands in for a full disk: writing fails in the middle, with an error like any other. */
Test(pipeline, a_disk_that_is_full_leaves_no_half_backup)
{
    struct shop shop = open_shop();
    const struct rlimit tiny = {2048, RLIM_INFINITY};
    struct rlimit before;
    cr_assert(getrlimit(RLIMIT_FSIZE, &before) == 0);
    cr_assert_eq(PIPE(&shop, "list", "-q").status, 0);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert(setrlimit(RLIMIT_FSIZE, &tiny) == 0);
    struct program_result result = PIPE(&shop, "backup", "-q");
    cr_assert(setrlimit(RLIMIT_FSIZE, &before) == 0);
    cr_expect_eq(result.status, 6, "%d: %.*s", result.status, STR_ARG(result.err));
    cr_expect_eq(value_count(json_of(&shop, PIPE(&shop, "list", "-q", "-o", "json"))), 0);
    cr_expect_eq(PIPE(&shop, "backup", "-q").status, 0, "and the next run goes on");
    cr_expect_eq(PIPE(&shop, "verify", "latest", "-q").status, 0);
    close_shop(&shop);
}

static void kill_run_after(struct shop *shop, unsigned microseconds)
{
    const char *path = program_path(shop->arena, "gitops-pipe");
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(shop->dir) != 0 || freopen("/dev/null", "w", stderr) == NULL ||
            freopen("/dev/null", "w", stdout) == NULL)
            _exit(126);
        execl(path, path, "run", "-q", (char *)NULL);
        _exit(127);
    }
    usleep(microseconds);
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(pipeline, killed_at_any_moment_loses_nothing_and_the_next_run_goes_on, .timeout = 600)
{
    struct shop shop = open_shop();
    for (unsigned i = 0; i < 30; i++)
        kill_run_after(&shop, 3000 + i * 15000);
    VALUE_EACH(backup, json_of(&shop, PIPE(&shop, "list", "-q", "-o", "json"))) {
        const char *id = str_c(shop.arena, value_str(value_key(backup, "id")));
        cr_expect_eq(PIPE(&shop, "verify", id, "-q").status, 0, "%s", id);
    }
    struct program_result next = PIPE(&shop, "run", "-q");
    cr_expect_eq(next.status, 0, "%.*s", STR_ARG(next.err));
    GIT(in_shop(&shop, "repository.git"), "fsck", "--strict");
    close_shop(&shop);
}

/* A file or socket that took the number of a closed stream would be written into; cron and supervisors close them. */
Test(pipeline, a_closed_standard_output_is_a_fault_and_never_somebody_elses_socket)
{
    struct shop shop = open_shop();
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        if (chdir(shop.dir) != 0)
            _exit(126);
        close(STDOUT_FILENO);
        execl(program_path(shop.arena, "gitops-pipe"), "gitops-pipe", "backup", "--quiet", (char *)NULL);
        _exit(127);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 6, "%d", status);
    cr_expect(str_contains(PIPE(&shop, "verify", "latest").out, STR("clean")), "what it stored is whole");
    close_shop(&shop);
}

Test(pipeline, a_reader_that_left_ends_the_program_without_a_word)
{
    struct shop shop = open_shop();
    int out[2], status;
    char said;
    cr_assert_eq(pipe(out), 0);
    close(out[0]);
    int err = open(in_shop(&shop, "stderr"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        execl(program_path(shop.arena, "gitops-pipe"), "gitops-pipe", "completion", "bash", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "%d", status);
    cr_expect_eq(pread(err, &said, 1, 0), 0);
    close(err);
    close_shop(&shop);
}

/* The git server is down at two in the morning: that night's backup is made all the same. */
/* The nightly job writes what it cannot read. */
Test(pipeline, run_needs_no_key_to_encrypt)
{
    struct shop shop = open_shop();
    struct str config;
    struct err err;
    const char *path = in_shop(&shop, "gitops-pipe.yaml");
    cr_assert(file_read(shop.arena, path, 1 << 20, &config, &err), "%s", err.msg);
    put_in_shop(
        &shop, "gitops-pipe.yaml",
        str_c(shop.arena, str_fmt(shop.arena,
                                  "%.*sencrypt: {recipients: "
                                  "[age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj]}\n",
                                  STR_ARG(config))));
    struct program_result result = PIPE(&shop, "run", "-q");
    cr_expect_eq(result.status, 0, "%.*s", STR_ARG(result.err));
    cr_expect(str_contains(result.out, STR("no identity is here to open them")));
    expect_refused(PIPE(&shop, "score", "latest", "-q"), 6, "no age identity is named");
    close_shop(&shop);
}

Test(pipeline, run_backs_up_although_git_cannot_be_reached)
{
    struct shop shop = open_shop();
    cr_assert_eq(rename(in_shop(&shop, "repository.git"), in_shop(&shop, "away.git")), 0);
    expect_refused(PIPE(&shop, "run"), 4, "publish: ");
    cr_expect_eq(value_count(json_of(&shop, PIPE(&shop, "list", "--output", "json"))), 1);
    expect_refused(PIPE(&shop, "doctor"), 6, "not everything");
    close_shop(&shop);
}

Test(pipeline, rbac_prints_roles_for_what_the_cluster_serves)
{
    struct shop shop = open_shop();
    const struct value *list = json_of(&shop, PIPE(&shop, "rbac", "--output", "json"));
    bool custom = false;
    VALUE_EACH(rule, value_key(value_item(value_key(list, "items"), 2), "rules"))
        custom = custom ||
                 str_contains(value_str(value_item(value_key(rule, "apiGroups"), 0)), STR("openshift.io"));
    cr_expect(str_is(value_str(value_key(list, "kind")), "List"));
    cr_expect(custom, "the groups of custom resources have their rules");

    struct program_result text =
        PIPE(&shop, "rbac", "--service-account", "ops/nightly", "--namespace", "shop");
    cr_expect_eq(text.status, 0, "%.*s", STR_ARG(text.err));
    cr_expect(str_contains(text.out, STR("kind: RoleBinding")), "%.*s", STR_ARG(text.out));
    cr_expect(str_contains(text.out, STR("name: nightly")), "%.*s", STR_ARG(text.out));
    expect_refused(PIPE(&shop, "rbac", "--service-account", "nightly"), 2, "NAMESPACE/NAME");
    sandbox_stop(shop.sandbox);

    struct program_result alone = PIPE(&shop, "rbac");
    cr_expect_eq(alone.status, 0, "%.*s", STR_ARG(alone.err));
    cr_expect(str_contains(alone.err, STR("built-in types alone")), "%.*s", STR_ARG(alone.err));
    cr_expect(str_contains(alone.out, STR("- deployments")), "%.*s", STR_ARG(alone.out));
    shop.sandbox = NULL;
    close_shop(&shop);
}
