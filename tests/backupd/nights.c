#include "tests/backupd/nights.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "backupd/backup.h"
#include "backupd/catalog.h"
#include "backupd/verify.h"
#include "core/base/json.h"

void nights_open(struct backup_fixture *f)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* each test is a process of its own */
    backup_fixture_init(f);
    f->bundle.complete = true;
}

static void set_content(struct backup_fixture *f, int content)
{
    for (size_t i = 0; i < f->bundle.count; i++) {
        struct resource *r = &f->bundle.items[i];
        if (str_is(r->kind, "ConfigMap") && str_is(r->name, "two"))
            r->object = value_with_in(f->arena, r->object, PATH("data", "content"),
                                      value_string(f->arena, str_fmt(f->arena, "%d", content)));
    }
}

bool night_try(struct backup_fixture *f, int night, int content, struct err *err)
{
    int64_t taken_ms = NIGHT_0 + night * NIGHT;
    if (f->clock.fixed_ms < taken_ms)
        f->clock.fixed_ms = taken_ms;
    backup_fixture_next_run(f);
    set_content(f, content);
    f->bundle.taken_ms = taken_ms;
    f->bundle.backup_id = STR_NONE;
    return backup_stage(&f->run, &f->bundle, err);
}

void night_make(struct backup_fixture *f, int night, int content)
{
    cr_assert(night_try(f, night, content, &f->err), "night %d: %s", night, f->err.msg);
}

size_t nights_are_whole(struct backup_fixture *f, const char *where)
{
    struct fault_plan plan = f->plan;
    struct catalog catalog;
    f->plan = (struct fault_plan){0};
    backup_fixture_next_run(f);
    cr_assert(catalog_list(f->inner, f->arena, STR_NONE, &catalog, &f->err), "%s: %s", where, f->err.msg);
    for (size_t i = 0; i < catalog.count; i++) {
        bool clean = false;
        backup_fixture_next_run(f);
        cr_expect(backup_verify(&f->run, STR_NONE, catalog.items[i].id, &clean, &f->err), "%s: %.*s: %s",
                  where, STR_ARG(catalog.items[i].id), f->err.msg);
        cr_expect(clean, "%s: %.*s is damaged: %.*s", where, STR_ARG(catalog.items[i].id),
                  STR_ARG(json_text(f->arena, backup_fixture_in(f, PATH("verify", "problems")))));
    }
    f->plan = plan;
    return catalog.count;
}
