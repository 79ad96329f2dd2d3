/* The command line from outside: what people and scripts rely on. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/harness/program.h"

#define RUN(arena, ...)                                                                                      \
    program_run((arena), "gitops-pipe", NULL, (const char *const[]){__VA_ARGS__, NULL}, STR_NONE)

Test(cli, wrong_usage_exits_with_2_and_says_what_to_do)
{
    static const struct {
        const char *arguments[6], *says;
    } cases[] = {
        {{"bakup"}, "did you mean \"backup\"?"},
        {{"frobnicate"}, "gitops-pipe --help lists the commands"},
        {{"backup", "--dryrun"}, "did you mean --dry-run?"},
        {{"backup", "--nonsense-here"}, "gitops-pipe backup --help"},
        {{"list", "--explain", "x"}, "list takes no --explain"},
        {{"list", "--output", "xml"}, "--output is text, json or yaml"},
        {{"list", "--output"}, "--output needs a value"},
        {{"list", "--quiet=yes"}, "--quiet takes no value"},
        {{"show"}, "show needs <backup|dir|file|->"},
        {{"convert", "x", "--secrets", "plain"}, "no such mode"},
        {{"-c", "/no/such/file.yaml", "list"}, "/no/such/file.yaml"},
        {{"list", "extra"}, "list takes no argument"},
        {{"score", "a", "b"}, "\"b\" is one more"},
        {{"diff", "a"}, "diff needs FROM TO"},
        {{"diff", "a", "b", "c"}, "diff takes two arguments"},
        {{"drill", "earthquake"}, "gitops-pipe drill list"},
        {{"completion", "tcsh"}, "bash, zsh or fish"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct program_result result = program_run(arena, "gitops-pipe", "/", cases[i].arguments, STR_NONE);
        int want = i == 10 ? 4 : 2; /* a missing file is not found */
        cr_expect_eq(result.status, want, "%s: %d", cases[i].arguments[0], result.status);
        cr_expect(str_contains(result.err, str_of(cases[i].says)), "%s: %.*s", cases[i].says,
                  STR_ARG(result.err));
        cr_expect_eq(result.out.len, 0, "stdout is for results only: %.*s", STR_ARG(result.out));
    }
    arena_free(arena);
}

Test(cli, every_command_has_help_with_an_example_and_ends_with_0)
{
    struct arena *arena = arena_new();
    static const char *const verbs[] = {"init",    "doctor", "backup", "list",    "show",    "verify",
                                        "diff",    "prune",  "score",  "convert", "render",  "publish",
                                        "restore", "drill",  "run",    "report",  "sandbox", "completion"};
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        struct program_result result = RUN(arena, verbs[i], "--help");
        cr_expect_eq(result.status, 0, "%s", verbs[i]);
        cr_expect(str_contains(result.out, str_fmt(arena, "gitops-pipe %s", verbs[i])), "%s", verbs[i]);
        cr_expect(str_contains(result.out, STR("Exit codes:")), "%s", verbs[i]);
        cr_expect_eq(result.err.len, 0);
    }
    struct program_result overview = RUN(arena, "--help");
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        cr_expect(str_contains(overview.out, str_of(verbs[i])), "%s", verbs[i]);
    arena_free(arena);
}

Test(cli, no_command_is_wrong_usage_with_the_overview_on_stderr)
{
    struct arena *arena = arena_new();
    struct program_result result =
        program_run(arena, "gitops-pipe", NULL, (const char *const[]){NULL}, STR_NONE);
    cr_expect_eq(result.status, 2);
    cr_expect_eq(result.out.len, 0);
    cr_expect(str_contains(result.err, STR("Commands:")));
    arena_free(arena);
}

Test(cli, the_exit_codes_are_documented)
{
    struct arena *arena = arena_new();
    struct program_result result = RUN(arena, "help", "exit-codes");
    static const char *const codes[] = {"| 0 | done",       "| 1 | findings",  "| 2 | wrong usage",
                                        "| 3 | incomplete", "| 4 | not found", "| 5 | refused",
                                        "| 6 | cluster",    "| 7 | corrupt",   "| 8 | interrupted"};
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        cr_expect(str_contains(result.out, str_of(codes[i])), "%s missing in %.*s", codes[i],
                  STR_ARG(result.out));
    arena_free(arena);
}

Test(cli, completion_scripts_are_accepted_by_their_shell)
{
    struct arena *arena = arena_new();
    const char *folder = temp_folder(arena);
    struct program_result bash = RUN(arena, "completion", "bash");
    const char *path = str_c(arena, str_fmt(arena, "%s/completion", folder));
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fwrite(bash.out.ptr, 1, bash.out.len, file);
    fprintf(file, "\nCOMP_WORDS=(gitops-pipe ba); COMP_CWORD=1; _gitops_pipe; [ \"${COMPREPLY[0]}\" = backup "
                  "] || exit 1\n"
                  "COMP_WORDS=(gitops-pipe score --wei); COMP_CWORD=2; _gitops_pipe; [ \"${#COMPREPLY[@]}\" "
                  "= 0 ] || exit 2\n");
    fclose(file);
    pid_t pid = fork();
    if (pid == 0)
        execl("/bin/bash", "bash", path, (char *)NULL);
    int status = -1;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(status, 0);
    cr_expect(str_contains(RUN(arena, "completion", "zsh").out, STR("#compdef gitops-pipe")));
    cr_expect(str_contains(RUN(arena, "completion", "fish").out, STR("complete -c gitops-pipe")));
    temp_remove(folder);
    arena_free(arena);
}

Test(cli, errors_can_be_json_for_log_collectors)
{
    struct arena *arena = arena_new();
    struct program_result result =
        RUN(arena, "--log-format", "json", "show", "x", "--store", "file:///no/such/store");
    const struct value *line;
    struct err err;
    cr_assert(json_parse(arena, result.err, NULL, &line, &err), "%s: %.*s", err.msg, STR_ARG(result.err));
    cr_expect(str_is(value_str_in(line, PATH("level")), "error"));
    cr_expect(value_str_in(line, PATH("message")).len != 0);
    arena_free(arena);
}

Test(cli, wrong_usage_is_json_too_wherever_the_option_stands)
{
    static const struct {
        const char *arguments[5];
    } cases[] = {{{"--frob", "--log-format", "json"}}, {{"list", "extra", "--log-format=json"}}};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct program_result result = program_run(arena, "gitops-pipe", NULL, cases[i].arguments, STR_NONE);
        const struct value *line;
        struct err err;
        cr_assert(json_parse(arena, result.err, NULL, &line, &err), "%s: %.*s", err.msg, STR_ARG(result.err));
        cr_expect(str_is(value_str_in(line, PATH("code")), "USAGE"));
    }
    arena_free(arena);
}

/* --output is a promise of every command, not of most. */
Test(cli, an_explanation_and_a_report_follow_output_json)
{
    static const char manifest[] =
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop, uid: u1}\n";
    static const char report[] = "{\"schemaVersion\": 1, \"cluster\": {\"name\": \"shop\"}}";
    struct arena *arena = arena_new();
    const struct value *value;
    struct err err;
    const char *folder = temp_folder(arena);
    const char *file = str_c(arena, str_fmt(arena, "%s/report.json", folder));
    struct program_result result = program_run(
        arena, "gitops-pipe", NULL,
        (const char *const[]){"convert", "-", "--explain", "Service/web", "--output", "json", NULL},
        str_of(manifest));
    cr_assert(json_parse(arena, result.out, NULL, &value, &err), "%s: %.*s", err.msg, STR_ARG(result.err));
    cr_expect(str_is(value_str_in(value_item(value, 0), PATH("path")), "metadata.uid"));
    cr_expect(str_is(value_str_in(value_item(value, 0), PATH("resource")), "shop/Service/web"));
    cr_assert(file_write(file, str_of(report), 0644, &err), "%s", err.msg);
    result = RUN(arena, "report", file, "--output", "json");
    cr_assert(json_parse(arena, result.out, NULL, &value, &err), "%s: %.*s", err.msg, STR_ARG(result.out));
    temp_remove(folder);
    arena_free(arena);
}

/* Its first mark in an empty folder is the one it stages in; the next run goes on from there. */
Test(cli, convert_goes_on_where_a_killed_one_stopped)
{
    static const char manifest[] = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n";
    static const char *const convert[] = {"convert", "-", "--secrets", "omit", "--out", ".", NULL};
    struct arena *arena = arena_new();
    struct err err;
    const char *folder = temp_folder(arena);
    const char *other = str_c(arena, str_fmt(arena, "%s/somebody.txt", folder));
    cr_assert(file_write(other, STR("else"), 0644, &err), "%s", err.msg);
    cr_expect_eq(program_run(arena, "gitops-pipe", folder, convert, str_of(manifest)).status, 5);
    unlink(other);
    const char *staging = str_c(arena, str_fmt(arena, "%s/.gitops-pipe.tmp", folder));
    cr_assert(file_make_dirs(staging, &err), "%s", err.msg);
    struct program_result result = program_run(arena, "gitops-pipe", folder, convert, str_of(manifest));
    cr_expect_eq(result.status, 0, "%.*s", STR_ARG(result.err));
    cr_expect_eq(access(staging, F_OK), -1, "nothing is left of it");
    temp_remove(folder);
    arena_free(arena);
}

Test(cli, init_writes_a_configuration_that_can_be_read_and_never_overwrites_one)
{
    struct arena *arena = arena_new();
    const char *folder = temp_folder(arena);
    const char *const init[] = {"init", "--kubeconfig", "/no/such/kubeconfig", NULL};
    struct program_result first = program_run(arena, "gitops-pipe", folder, init, STR_NONE);
    cr_expect_eq(first.status, 0, "%.*s", STR_ARG(first.err));
    struct program_result second = program_run(arena, "gitops-pipe", folder, init, STR_NONE);
    cr_expect_eq(second.status, 5);
    cr_expect(str_contains(second.err, STR("--force")));
    const char *const list[] = {"list", "--output", "json", NULL};
    struct program_result listed = program_run(arena, "gitops-pipe", folder, list, STR_NONE);
    cr_expect_eq(listed.status, 0, "%.*s", STR_ARG(listed.err));
    temp_remove(folder);
    arena_free(arena);
}

Test(cli, the_schema_is_json)
{
    struct arena *arena = arena_new();
    struct program_result result = RUN(arena, "init", "--schema");
    const struct value *schema;
    struct err err;
    cr_assert(json_parse(arena, result.out, NULL, &schema, &err), "%s", err.msg);
    cr_expect_not_null(value_in(schema, PATH("properties", "cluster", "properties", "include")));
    arena_free(arena);
}

/* Three pages of docs/ are what the program prints from its tables. Set UPDATE=1 to print them again. */
Test(cli, the_manual_says_what_the_tables_say)
{
    static const char *const chapters[] = {"commands", "configuration", "exit-codes"};
    struct arena *arena = arena_new();
    struct err err;
    for (size_t i = 0; i < COUNT_OF(chapters); i++) {
        struct program_result result = RUN(arena, "help", chapters[i]);
        const char *path = str_c(arena, str_fmt(arena, "docs/%s.md", chapters[i]));
        struct str manual = STR_NONE;
        cr_assert_eq(result.status, 0, "%s", chapters[i]);
        if (getenv("UPDATE"))
            cr_assert(file_write(path, result.out, 0644, &err), "%s", err.msg);
        cr_assert(file_read(arena, path, 1 << 20, &manual, &err), "%s", err.msg);
        cr_expect(str_eq(manual, result.out), "%s is stale: run UPDATE=1 make unit FILTER='cli/the_manual*'",
                  path);
    }
    arena_free(arena);
}
