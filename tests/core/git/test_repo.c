/* Publishing a tree, against real git: what it wrote is looked at with git's own eyes. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/git/repo.h"
#include "tests/harness/git_cli.h"
#include "tests/harness/git_http.h"

struct fixture {
    struct arena *arena;
    const char *dir; /* holds repo.git, state, work … */
    const char *bare;
    struct clock clock;
    struct str owned[3];
    struct repo_options options;
    struct err err;
};

static struct fixture set_up(void)
{
    struct fixture f = {.arena = arena_new(), .clock = {1763690400000}};
    f.dir = temp_dir(f.arena);
    f.bare = str_fmt(f.arena, "%s/repo.git", f.dir).ptr;
    cr_assert(repo_create(f.bare, STR("main"), &f.err), "%s", f.err.msg);
    f.options = (struct repo_options){.url = str_of(f.bare),
                                      .branch = STR("main"),
                                      .author = STR("GitOps Pipe <gitops@example.com>"),
                                      .state_dir = str_fmt(f.arena, "%s/state", f.dir)};
    return f;
}

/* `clock` and `owned` live in the fixture, so they are pointed to once it stands where it stays. */
static void settle(struct fixture *f)
{
    f->owned[0] = STR("base");
    f->owned[1] = STR("overlays");
    f->owned[2] = STR("README.md");
    f->options.owned = (struct str_list){f->owned, COUNT_OF(f->owned), COUNT_OF(f->owned)};
    f->options.clock = &f->clock;
}

static void tear_down(struct fixture *f)
{
    temp_dir_remove(f->dir);
    arena_free(f->arena);
}

/* FILES(f, "base/a.yaml", "text", …) */
static struct files make_files(struct fixture *f, const char *const *pairs)
{
    struct files files = {0};
    struct err err;
    for (; pairs[0] != NULL; pairs += 2)
        cr_assert(files_add(f->arena, &files, str_of(pairs[0]), str_of(pairs[1]), &err), "%s", err.msg);
    cr_assert(files_sort(&files, &err), "%s", err.msg);
    return files;
}
#define FILES(f, ...) make_files((f), (const char *const[]){__VA_ARGS__, NULL})

static bool publish(struct fixture *f, struct files files, struct repo_result *ret)
{
    struct repo *repo;
    if (!repo_open(f->arena, &f->options, &repo, &f->err))
        return false;
    bool ok = repo_publish(repo, &files, STR("a backup\n\nits story"), ret, &f->err);
    repo_close(repo);
    return ok;
}

static void fsck(struct fixture *f)
{
    int status;
    struct str said =
        git_cli(f->arena, f->bare, &status, (const char *const[]){"fsck", "--strict", "--full", NULL});
    cr_expect_eq(status, 0, "%.*s", STR_ARG(said));
}

static struct str tip(struct fixture *f)
{
    int status;
    return git_cli(f->arena, f->bare, &status,
                   (const char *const[]){"rev-parse", "-q", "--verify", "main", NULL});
}

static struct str listing(struct fixture *f)
{
    return GIT(f->arena, f->bare, "ls-tree", "-r", "--name-only", "main");
}

Test(repo, the_first_commit_creates_the_branch)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    cr_assert(publish(&f,
                      FILES(&f, "base/web/deploy.yaml", "kind: Deployment\n", "base/web-x.yaml", "",
                            "README.md", "hi\n"),
                      &result),
              "%s", f.err.msg);
    cr_expect(result.changes.any);
    cr_expect_eq(result.changes.added.count, 3);
    cr_expect(str_eq(result.commit, tip(&f)));
    cr_expect(str_eq(result.changes.tree, GIT(f.arena, f.bare, "rev-parse", "main^{tree}")));
    cr_expect(str_is(listing(&f), "README.md\nbase/web-x.yaml\nbase/web/deploy.yaml"), "%.*s",
              STR_ARG(listing(&f)));
    cr_expect(str_is(GIT(f.arena, f.bare, "show", "main:base/web/deploy.yaml"), "kind: Deployment"));
    cr_expect(str_is(GIT(f.arena, f.bare, "log", "-1", "--format=%an|%ae|%cn|%ct|%s|%b", "main"),
                     "GitOps Pipe|gitops@example.com|GitOps Pipe|1763690400|a backup|its story"));
    cr_expect(str_is(GIT(f.arena, f.bare, "symbolic-ref", "HEAD"), "refs/heads/main"));
    fsck(&f);
    tear_down(&f);
}

Test(repo, the_tree_is_the_one_git_would_write)
{
    static const char *const pairs[] = {
        "base/a.yaml",  "1", "base/a/b.yaml", "2", "base/a-b.yaml", "3", "base/a0/x", "4",
        "base/a/c/d/e", "5", "overlays/z",    "6", "README.md",     "7", NULL};
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    struct files files = make_files(&f, pairs);
    const char *work = str_fmt(f.arena, "%s/work", f.dir).ptr;
    cr_assert(files_write(&files, work, &f.err), "%s", f.err.msg);
    GIT(f.arena, work, "init", "-q");
    GIT(f.arena, work, "add", "base", "overlays", "README.md");
    cr_assert(publish(&f, files, &result), "%s", f.err.msg);
    cr_expect(str_eq(result.changes.tree, GIT(f.arena, work, "write-tree")));
    fsck(&f);
    tear_down(&f);
}

Test(repo, nothing_changed_makes_no_commit)
{
    struct fixture f = set_up();
    struct repo_result first, second;
    settle(&f);
    cr_assert(publish(&f, FILES(&f, "base/a", "1", "README.md", "hi"), &first), "%s", f.err.msg);
    f.clock.fixed_ms += 86400000;
    cr_assert(publish(&f, FILES(&f, "README.md", "hi", "base/a", "1"), &second), "%s", f.err.msg);
    cr_expect_not(second.changes.any);
    cr_expect(str_eq(first.commit, second.commit));
    cr_expect(str_eq(first.changes.tree, second.changes.tree));
    cr_expect(str_is(GIT(f.arena, f.bare, "rev-list", "--count", "main"), "1"));
    tear_down(&f);
}

Test(repo, foreign_files_stay_and_ours_are_replaced)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    const char *work = str_fmt(f.arena, "%s/work", f.dir).ptr;
    GIT(f.arena, f.dir, "clone", "-q", f.bare, "work");
    struct files theirs =
        FILES(&f, "base/old.yaml", "old", "base/same.yaml", "same", "docs/guide.md", "read me",
              ".github/ci.yml", "on: push", "based", "not ours", "base-2/x", "nor this");
    cr_assert(files_write(&theirs, work, &f.err));
    GIT(f.arena, work, "add", "base", "docs", ".github", "based", "base-2");
    GIT(f.arena, work, "update-index", "--chmod=+x", "based");
    GIT(f.arena, work, "commit", "-qm", "theirs");
    GIT(f.arena, work, "push", "-q", "origin", "HEAD:main");
    cr_assert(publish(&f, FILES(&f, "base/same.yaml", "same", "base/new.yaml", "new"), &result), "%s",
              f.err.msg);
    cr_expect_eq(result.changes.added.count, 1);
    cr_expect_eq(result.changes.changed.count, 0);
    cr_assert_eq(result.changes.removed.count, 1);
    cr_expect(str_is(result.changes.removed.items[0], "base/old.yaml"));
    cr_expect(
        str_is(listing(&f), ".github/ci.yml\nbase-2/x\nbase/new.yaml\nbase/same.yaml\nbased\ndocs/guide.md"),
        "%.*s", STR_ARG(listing(&f)));
    cr_expect(str_starts(GIT(f.arena, f.bare, "ls-tree", "main", "based"), STR("100755")));
    fsck(&f);
    tear_down(&f);
}

Test(repo, an_empty_tree_of_ours_removes_our_names)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    cr_assert(publish(&f, FILES(&f, "base/a", "1"), &result), "%s", f.err.msg);
    cr_assert(publish(&f, (struct files){0}, &result), "%s", f.err.msg);
    cr_expect_eq(result.changes.removed.count, 1);
    cr_expect(str_is(listing(&f), ""));
    fsck(&f);
    tear_down(&f);
}

Test(repo, comparing_writes_nothing)
{
    struct fixture f = set_up();
    struct repo_changes changes;
    struct repo *repo;
    settle(&f);
    struct files files = FILES(&f, "base/a", "1");
    cr_assert(repo_open(f.arena, &f.options, &repo, &f.err), "%s", f.err.msg);
    cr_assert(repo_compare(repo, &files, &changes, &f.err), "%s", f.err.msg);
    repo_close(repo);
    cr_expect(changes.any);
    cr_expect_eq(changes.added.count, 1);
    cr_expect(str_is(tip(&f), ""));
    cr_expect(str_is(GIT(f.arena, f.bare, "count-objects"), "0 objects, 0 kilobytes"));
    tear_down(&f);
}

static bool is_of_overlays(struct str path)
{
    return str_starts(path, STR("overlays/"));
}

Test(repo, what_was_published_can_be_read)
{
    struct fixture f = set_up();
    struct repo_result result;
    struct repo *repo;
    struct files read;
    settle(&f);
    struct files files = FILES(&f, "base/a", "one", "base/b/c", "", "overlays/x", "\xff\n");
    cr_assert(publish(&f, files, &result), "%s", f.err.msg);
    cr_assert(repo_open(f.arena, &f.options, &repo, &f.err));
    cr_expect(str_eq(repo_tip(repo), result.commit));
    cr_assert(repo_read(repo, f.arena, 1000, &read, &f.err), "%s", f.err.msg);
    cr_assert_eq(read.count, 3);
    for (size_t i = 0; i < 3; i++)
        cr_expect(str_eq(read.items[i].path, files.items[i].path) &&
                  str_eq(read.items[i].bytes, files.items[i].bytes));
    cr_expect_not(repo_read(repo, f.arena, 3, &read, &f.err));
    cr_expect_eq(f.err.code, ERR_LIMIT);
    cr_assert(repo_read_wanted(repo, f.arena, 3, is_of_overlays, &read, &f.err),
              "what is left out counts not");
    cr_expect(read.count == 1 && str_is(read.items[0].path, "overlays/x"));
    repo_close(repo);
    tear_down(&f);
}

/* ---- what goes wrong ---- */

Test(repo, bad_options_are_refused_with_a_reason)
{
    static const struct {
        const char *url, *branch, *author;
        enum err_code code;
        const char *part;
    } cases[] = {
        {"", "main", "A <a@b>", ERR_USAGE, "git.url"},
        {"/nonexistent/repo.git", "main", "A <a@b>", ERR_NOT_FOUND, "/nonexistent/repo.git"},
        {"/tmp", "main", "A <a@b>", ERR_NOT_FOUND, "/tmp"},
        {NULL, "a..b", "A <a@b>", ERR_USAGE, "git.branch"},
        {NULL, "", "A <a@b>", ERR_USAGE, "git.branch"},
        {NULL, "main", "nobody", ERR_USAGE, "git.author"},
        {NULL, "main", "<a@b>", ERR_USAGE, "git.author"},
        {NULL, "main", "A <a\n@b>", ERR_USAGE, "git.author"},
        {NULL, "main", "A <a> <b>", ERR_USAGE, "git.author"},
        {"https://user:hunter2@127.0.0.1:1/x.git", "main", "A <a@b>", ERR_UNREACHABLE,
         "https://127.0.0.1:1/x.git"},
    };
    struct fixture f = set_up();
    settle(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct repo *repo;
        f.options.url = cases[i].url != NULL ? str_of(cases[i].url) : str_of(f.bare);
        f.options.branch = str_of(cases[i].branch);
        f.options.author = str_of(cases[i].author);
        cr_assert_not(repo_open(f.arena, &f.options, &repo, &f.err), "%zu", i);
        cr_expect_eq(f.err.code, cases[i].code, "%zu: %s %s", i, err_name(f.err.code), f.err.msg);
        cr_expect(strstr(f.err.msg, cases[i].part) != NULL, "%zu: %s", i, f.err.msg);
        cr_expect(strstr(f.err.msg, "hunter2") == NULL, "%s", f.err.msg);
        cr_expect(f.err.next[0] != '\0' || f.err.code == ERR_USAGE, "%s", f.err.msg);
    }
    tear_down(&f);
}

Test(repo, files_outside_our_names_are_refused)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    cr_assert_not(publish(&f, FILES(&f, "base/a", "1", "src/main.c", "x"), &result));
    cr_expect_eq(f.err.code, ERR_INVALID);
    cr_expect(str_is(tip(&f), ""));
    tear_down(&f);
}

Test(repo, a_branch_that_moved_meanwhile_is_a_conflict)
{
    struct fixture f = set_up(), other;
    struct repo_result result, theirs;
    struct repo *repo;
    settle(&f);
    cr_assert(publish(&f, FILES(&f, "base/a", "1"), &result), "%s", f.err.msg);
    cr_assert(repo_open(f.arena, &f.options, &repo, &f.err));
    other = f;
    settle(&other);
    cr_expect_not(publish(&other, FILES(&f, "base/a", "2"), &theirs)); /* ours exclude each other */
    cr_expect_eq(other.err.code, ERR_CONFLICT);
    struct str moved = GIT(f.arena, f.bare, "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}");
    GIT(f.arena, f.bare, "update-ref", "refs/heads/main", moved.ptr);
    struct files files = FILES(&f, "base/a", "3");
    cr_assert_not(repo_publish(repo, &files, STR("x"), &result, &f.err));
    cr_expect_eq(f.err.code, ERR_CONFLICT, "%s", f.err.msg);
    cr_expect(strstr(f.err.next, "run publish again") != NULL, "%s", f.err.next);
    cr_expect(str_eq(tip(&f), moved));
    repo_close(repo);
    cr_assert(publish(&f, files, &result), "%s", f.err.msg);
    cr_expect(str_eq(GIT(f.arena, f.bare, "rev-parse", "main^"), moved));
    fsck(&f);
    tear_down(&f);
}

Test(repo, a_working_tree_follows_and_its_changes_are_not_lost)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    const char *work = str_fmt(f.arena, "%s/work", f.dir).ptr;
    GIT(f.arena, f.dir, "clone", "-q", f.bare, "work");
    GIT(f.arena, work, "checkout", "-q", "-b", "main");
    f.options.url = str_fmt(f.arena, "file://%s", work);
    cr_assert(publish(&f, FILES(&f, "base/a", "1", "base/b", "1"), &result), "%s", f.err.msg);
    cr_expect(str_is(GIT(f.arena, work, "status", "--porcelain"), ""));

    struct files mine = FILES(&f, "base/a", "edited", "notes.txt", "mine");
    for (size_t i = 0; i < mine.count; i++)
        cr_assert(file_write(str_fmt(f.arena, "%s/%.*s", work, STR_ARG(mine.items[i].path)).ptr,
                             mine.items[i].bytes, 0644, &f.err));
    cr_assert_not(publish(&f, FILES(&f, "base/a", "2", "base/b", "1"), &result));
    cr_expect_eq(f.err.code, ERR_REFUSED, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "base/a") != NULL, "%s", f.err.msg);
    cr_expect(str_is(GIT(f.arena, work, "rev-list", "--count", "main"), "1"));

    GIT(f.arena, work, "checkout", "-q", "base/a"); /* notes.txt lies outside our names and does not matter */
    cr_assert(publish(&f, FILES(&f, "base/a", "2"), &result), "%s", f.err.msg);
    cr_expect(str_is(GIT(f.arena, work, "status", "--porcelain"), "?? notes.txt"));
    cr_expect(str_is(GIT(f.arena, work, "ls-files"), "base/a"));
    tear_down(&f);
}

Test(repo, a_kill_leaves_the_branch_old_or_new_and_the_next_run_goes_on, .timeout = 60)
{
    struct fixture f = set_up();
    struct repo_result result;
    int killed = 0;
    settle(&f);
    cr_assert(publish(&f, FILES(&f, "base/a", "0"), &result));
    for (int i = 1; i <= 40; i++) {
        struct files files = {0};
        char *text = str_fmt(f.arena, "%d", i).ptr ? (char *)str_fmt(f.arena, "%d", i).ptr : NULL;
        for (int j = 0; j < 200; j++)
            cr_assert(files_add(f.arena, &files, str_fmt(f.arena, "base/%03d", j), str_of(text), &f.err));
        struct str before = tip(&f);
        pid_t child = fork();
        if (child == 0)
            _exit(publish(&f, files, &result) ? 0 : 1);
        usleep((useconds_t)(i * 300));
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
        struct str now = tip(&f);
        cr_expect(str_eq(now, before) || str_eq(GIT(f.arena, f.bare, "rev-parse", "main^"), before));
    }
    cr_expect_gt(killed, 0);
    cr_assert(publish(&f, FILES(&f, "base/a", "end"), &result), "%s", f.err.msg);
    fsck(&f);
    tear_down(&f);
}

Test(repo, a_lock_of_our_dead_run_does_not_block_and_a_foreign_one_does)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    cr_assert(publish(&f, FILES(&f, "base/a", "1"), &result));
    const char *lock = str_fmt(f.arena, "%s/refs/heads/main.lock", f.bare).ptr;
    cr_assert(file_write(lock, STR(""), 0644, &f.err));
    cr_assert_not(publish(&f, FILES(&f, "base/a", "2"), &result));
    cr_expect_eq(f.err.code, ERR_CONFLICT, "%s", f.err.msg);
    cr_assert(file_write(str_fmt(f.arena, "%s/gitops-pipe.moving", f.bare).ptr, STR(""), 0644, &f.err));
    cr_assert(publish(&f, FILES(&f, "base/a", "2"), &result), "%s", f.err.msg);
    cr_expect_neq(access(lock, F_OK), 0);
    tear_down(&f);
}

/* ---- over HTTP, against git http-backend ---- */

static void allow_push(struct fixture *f)
{
    GIT(f->arena, f->bare, "config", "http.receivepack", "true");
}

static struct git_http *serve(struct fixture *f, struct git_http_faults faults)
{
    struct git_http *server = git_http_start(f->dir, faults);
    f->options.url = git_http_url(server, f->arena, "repo.git");
    return server;
}

Test(repo_http, publishes_into_an_empty_repository_and_again, .timeout = 60)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    allow_push(&f);
    struct git_http *server = serve(&f, (struct git_http_faults){0});
    cr_assert(publish(&f, FILES(&f, "base/a", "1", "base/b", "1"), &result), "%s", f.err.msg);
    cr_expect(str_eq(result.commit, tip(&f)));
    unsigned requests = git_http_requests(server);
    cr_assert(publish(&f, FILES(&f, "base/a", "1", "base/b", "1"), &result), "%s", f.err.msg);
    cr_expect_not(result.changes.any);
    cr_expect_eq(git_http_requests(server), requests + 1, "an unchanged night asks once");
    cr_assert(publish(&f, FILES(&f, "base/a", "2", "base/b", "1"), &result), "%s", f.err.msg);
    cr_expect_eq(result.changes.changed.count, 1);
    cr_expect(str_is(GIT(f.arena, f.bare, "rev-list", "--count", "main"), "2"));
    temp_dir_remove(f.options.state_dir.ptr); /* a lost cache is made again */
    cr_assert(publish(&f, FILES(&f, "base/a", "3", "base/b", "1"), &result), "%s", f.err.msg);
    cr_expect(str_is(GIT(f.arena, f.bare, "rev-list", "--count", "main"), "3"));
    fsck(&f);
    git_http_stop(server);
    tear_down(&f);
}

Test(repo_http, commits_of_others_are_fetched_and_kept, .timeout = 60)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    allow_push(&f);
    struct git_http *server = serve(&f, (struct git_http_faults){0});
    cr_assert(publish(&f, FILES(&f, "base/a", "1"), &result), "%s", f.err.msg);
    GIT(f.arena, f.dir, "clone", "-q", f.bare, "work");
    const char *work = str_fmt(f.arena, "%s/work", f.dir).ptr;
    cr_assert(file_write(str_fmt(f.arena, "%s/notes", work).ptr, STR("x"), 0644, &f.err));
    GIT(f.arena, work, "add", "notes");
    GIT(f.arena, work, "commit", "-qm", "notes");
    GIT(f.arena, work, "push", "-q", "origin", "HEAD:main");
    cr_assert(publish(&f, FILES(&f, "base/a", "2"), &result), "%s", f.err.msg);
    cr_expect(str_is(listing(&f), "base/a\nnotes"));
    git_http_stop(server);
    tear_down(&f);
}

Test(repo_http, credentials_come_from_the_environment_and_stay_secret, .timeout = 60)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    struct git_http *server = serve(&f, (struct git_http_faults){.user = "bot", .password = "hunter2"});
    allow_push(&f);
    unsetenv("GITOPS_PIPE_GIT_PASSWORD");
    cr_assert_not(publish(&f, FILES(&f, "base/a", "1"), &result));
    cr_expect_eq(f.err.code, ERR_DENIED, "%s", f.err.msg);
    cr_expect(strstr(f.err.next, "GITOPS_PIPE_GIT_PASSWORD") != NULL, "%s", f.err.next);
    setenv("GITOPS_PIPE_GIT_USERNAME", "bot", 1);
    setenv("GITOPS_PIPE_GIT_PASSWORD", "hunter3", 1);
    cr_assert_not(publish(&f, FILES(&f, "base/a", "1"), &result));
    cr_expect_eq(f.err.code, ERR_DENIED, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "hunter3") == NULL, "%s", f.err.msg);
    setenv("GITOPS_PIPE_GIT_PASSWORD", "hunter2", 1);
    cr_assert(publish(&f, FILES(&f, "base/a", "1"), &result), "%s", f.err.msg);
    int status;
    git_cli(f.arena, f.options.state_dir.ptr, &status,
            (const char *const[]){"grep", "--no-index", "-rq", "hunter2", ".", NULL});
    cr_expect_eq(status, 1, "the password lies in the state folder");
    git_http_stop(server);
    tear_down(&f);
}

Test(repo_http, a_push_that_is_cut_leaves_the_branch_as_it_was, .timeout = 60)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    allow_push(&f);
    struct git_http *server = serve(&f, (struct git_http_faults){.cut_request_after = 100});
    cr_assert_not(
        publish(&f, FILES(&f, "base/a", "some text that does not fit", "base/b", "more of it"), &result));
    cr_expect_eq(f.err.code, ERR_UNREACHABLE, "%s %s", err_name(f.err.code), f.err.msg);
    cr_expect(str_is(tip(&f), ""));
    git_http_stop(server);
    server = serve(&f, (struct git_http_faults){0});
    cr_assert(publish(&f, FILES(&f, "base/a", "1"), &result), "%s", f.err.msg);
    fsck(&f);
    git_http_stop(server);
    tear_down(&f);
}

static void somebody_is_faster(void *ctx)
{
    struct fixture *f = ctx;
    struct str commit = GIT(f->arena, f->bare, "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}");
    GIT(f->arena, f->bare, "update-ref", "refs/heads/main", commit.ptr);
}

Test(repo_http, somebody_faster_is_a_conflict_and_nothing_is_overwritten, .timeout = 60)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    allow_push(&f);
    cr_assert(publish(&f, FILES(&f, "base/a", "1"), &result), "%s", f.err.msg);
    struct git_http *server =
        serve(&f, (struct git_http_faults){.before_push = somebody_is_faster, .ctx = &f});
    cr_assert_not(publish(&f, FILES(&f, "base/a", "2"), &result));
    cr_expect_eq(f.err.code, ERR_CONFLICT, "%s", f.err.msg);
    cr_expect(str_is(GIT(f.arena, f.bare, "log", "-1", "--format=%s", "main"), "theirs"));
    cr_assert(publish(&f, FILES(&f, "base/a", "2"), &result), "%s", f.err.msg);
    cr_expect(str_is(GIT(f.arena, f.bare, "rev-list", "--count", "main"), "3"));
    git_http_stop(server);
    tear_down(&f);
}

Test(repo_http, a_server_that_says_no_is_told_apart, .timeout = 60)
{
    static const struct {
        int status;
        enum err_code code;
    } cases[] = {{404, ERR_NOT_FOUND}, {403, ERR_DENIED}, {500, ERR_UNREACHABLE}};
    struct fixture f = set_up();
    settle(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct repo_result result;
        struct git_http *server = serve(&f, (struct git_http_faults){.status = cases[i].status});
        cr_assert_not(publish(&f, FILES(&f, "base/a", "1"), &result));
        cr_expect_eq(f.err.code, cases[i].code, "%d: %s %s", cases[i].status, err_name(f.err.code),
                     f.err.msg);
        git_http_stop(server);
    }
    tear_down(&f);
}

Test(repo_http, a_hook_that_declines_is_denied, .timeout = 60)
{
    struct fixture f = set_up();
    struct repo_result result;
    settle(&f);
    allow_push(&f);
    cr_assert(file_write(str_fmt(f.arena, "%s/hooks/pre-receive", f.bare).ptr, STR("#!/bin/sh\nexit 1\n"),
                         0755, &f.err));
    struct git_http *server = serve(&f, (struct git_http_faults){0});
    cr_assert_not(publish(&f, FILES(&f, "base/a", "1"), &result));
    cr_expect_eq(f.err.code, ERR_DENIED, "%s %s", err_name(f.err.code), f.err.msg);
    cr_expect(str_is(tip(&f), ""));
    git_http_stop(server);
    tear_down(&f);
}
