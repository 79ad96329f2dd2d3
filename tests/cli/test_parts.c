/* A cluster that is taken a part at a time from disk comes to what it comes to in memory, and takes the memory of its
 * largest part. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/config/config.h"
#include "overlays/overlays.h"
#include "tests/harness/program.h"
#include "transform/transform.h"

struct side {
    struct arena *arena;
    struct config config;
    struct run run;
    struct bundle bundle;
    struct err err;
};

static void open_side(struct side *s, const char *estate)
{
    *s = (struct side){.arena = arena_new()};
    config_defaults(s->arena, &s->config);
    s->config.secrets.mode = SECRETS_OMIT;
    s->config.state_dir = STR_NONE;
    s->config.helm_marks = HELM_STRIP; /* selectors of all namespaces are looked through */
    s->config.environments.items[0].hosts_domain = STR("dev.example.org");
    s->config.environments.items[0].namespace_suffix = STR("-dev");
    s->run = (struct run){.arena = s->arena, .config = &s->config};
    bundle_init(&s->run.secrets, s->arena);
    cr_assert(bundle_read_manifests(s->arena, estate, &s->bundle, &s->err), "%s: %s", estate, s->err.msg);
    bundle_sort(&s->bundle);
}

static void in_memory(struct side *s)
{
    cr_assert(transform_stage(&s->run, &s->bundle, &s->err), "%s", s->err.msg);
    cr_assert(overlays_stage(&s->run, &s->bundle, &s->err), "%s", s->err.msg);
}

static void from_disk(struct side *s)
{
    struct stash *stash;
    struct parts live;
    struct declared declared;
    struct transform_log log;
    cr_assert(stash_from_bundle(s->arena, NULL, &s->bundle, &stash, &s->err), "%s", s->err.msg);
    parts_of_stash(s->arena, stash, &live);
    cr_assert(transform_declare(&s->run, &live, NULL, NULL, NULL, &declared, &log, &s->err), "%s",
              s->err.msg);
    run_section(&s->run, "transform", transform_section(s->arena, &log));
    cr_assert(overlays_write(&s->run, &declared, files_out_memory(s->arena, &s->run.files), &s->err), "%s",
              s->err.msg);
    declared_close(&declared);
    stash_close(stash);
}

static void expect_same_files(const char *estate, const struct files *a, const struct files *b)
{
    cr_assert_gt(a->count, 20u, "%s", estate);
    cr_assert_eq(a->count, b->count, "%s: %zu files, and %zu", estate, a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        cr_assert(str_eq(a->items[i].path, b->items[i].path), "%s: %.*s, and %.*s", estate,
                  STR_ARG(a->items[i].path), STR_ARG(b->items[i].path));
        cr_expect(str_eq(a->items[i].bytes, b->items[i].bytes), "%s: %.*s", estate,
                  STR_ARG(a->items[i].path));
    }
}

static struct str findings(const struct side *s)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < s->run.findings.count; i++)
        value_push(s->arena, &list, finding_value(s->arena, &s->run.findings.items[i]));
    return json_text(s->arena, value_list_done(s->arena, &list));
}

Test(convert_parts, disk_and_memory_give_the_same_files_findings_and_report)
{
    static const char *const estates[] = {
        "testdata/estates/enterprise-platform",
        "testdata/estates/mesh-benchmark",
        "testdata/estates/multi-tenant-isp",
        "testdata/estates/production-simulation",
        "testdata/estates/store-platform",
        "testdata/transform-estates/production-simulation/create.json",
        "testdata/transform-estates/kinds/server-side-apply.json",
    };
    for (size_t i = 0; i < COUNT_OF(estates); i++) {
        struct side memory, disk;
        open_side(&memory, estates[i]);
        open_side(&disk, estates[i]);
        in_memory(&memory);
        from_disk(&disk);
        expect_same_files(estates[i], &memory.run.files, &disk.run.files);
        struct str a = findings(&memory), b = findings(&disk);
        cr_expect(str_eq(a, b), "%s:\n%.*s\n%.*s", estates[i], STR_ARG(a), STR_ARG(b));
        a = json_text(memory.arena, run_report(&memory.run));
        b = json_text(disk.arena, run_report(&disk.run));
        cr_expect(str_eq(a, b), "%s:\n%.*s\n%.*s", estates[i], STR_ARG(a), STR_ARG(b));
        arena_free(memory.arena);
        arena_free(disk.arena);
    }
}

/* ---- memory ---- */

enum { OBJECTS = 4000, MAP_BYTES = 4000 };

/* So many namespaces share the ConfigMaps, each in a file of its own. */
static void write_maps(struct arena *arena, const char *folder, size_t namespaces)
{
    struct files files = {0};
    struct err err;
    char *filling = arena_alloc(arena, MAP_BYTES);
    for (size_t i = 0; i < MAP_BYTES; i++)
        filling[i] = (char)('a' + i % 26);
    for (size_t i = 0; i < OBJECTS; i++)
        cr_assert(
            files_add(arena, &files, str_fmt(arena, "%04zu.json", i),
                      str_fmt(arena,
                              "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"m%zu\","
                              "\"namespace\":\"n%zu\"},\"data\":{\"a\":\"%.*s\"}}",
                              i, i % namespaces, MAP_BYTES, filling),
                      &err));
    cr_assert(files_sort(&files, &err) && files_write(&files, folder, &err), "%s", err.msg);
}

/* KiB at the peak of the command. */
static long peak_of(struct arena *arena, const char *command, const char *folder)
{
    const char *program = program_path(arena, "gitops-pipe");
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(99);
        if (command[0] == 's')
            execl(program, "gitops-pipe", "score", folder, "-q", (char *)NULL);
        execl(program, "gitops-pipe", "convert", folder, "--dry-run", "--secrets", "omit", "-q",
              (char *)NULL);
        _exit(98);
    }
    int status = 0;
    struct rusage usage;
    cr_assert_eq(wait4(child, &status, 0, &usage), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %d", command, status);
    return usage.ru_maxrss;
}

/* 16 MB of ConfigMaps: in one namespace they are held at once, in 200 they are not. */
Test(convert_parts, memory_is_that_of_the_largest_namespace)
{
    static const char *const commands[] = {"convert", "score"};
    enum { SAVED_KIB = 10 * 1024 };
#ifdef ARENA_DEBUG
    cr_skip_test("under sanitizers a program's memory is mostly theirs");
#endif
    struct arena *arena = arena_new();
    const char *one = temp_folder(arena), *many = temp_folder(arena);
    struct arena *passing = arena_new(); /* a child begins with what its parent holds */
    write_maps(passing, one, 1);
    write_maps(passing, many, 200);
    arena_free(passing);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        long whole = peak_of(arena, commands[i], one), parts = peak_of(arena, commands[i], many);
        cr_expect_lt(parts, whole - SAVED_KIB, "%s: %ld KiB in 200 namespaces, %ld KiB in one", commands[i],
                     parts, whole);
    }
    temp_remove(one);
    temp_remove(many);
    arena_free(arena);
}
