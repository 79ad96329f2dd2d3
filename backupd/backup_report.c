#include <sys/resource.h>

#include "backupd/backup_intern.h"

static const struct value *lines(struct arena *arena, const struct str_list *list)
{
    struct value_list_builder builder = {0};
    for (size_t i = 0; i < list->count; i++)
        value_push(arena, &builder, value_string(arena, list->items[i]));
    return list->count ? value_list_done(arena, &builder) : NULL;
}

/* The stores that lack something of this backup, and why. */
static const struct value *lacking(struct backup *b)
{
    struct arena *a = b->run->arena;
    struct str_list labels, notes;
    store_lagging(b->run->store, a, &labels);
    store_notes(b->run->store, a, &notes);
    if (labels.count == 0)
        return NULL;
    return VALUE_MAP(a, {"stores", lines(a, &labels)}, {"why", lines(a, &notes)});
}

/* Resident, of the whole process: what a limit on a container is measured against. */
static int64_t peak_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

/* Of a joint backup: where it stands. */
static const struct value *shard(struct backup *b)
{
    struct arena *a = b->run->arena;
    const struct joint *joint = b->joint;
    if (joint == NULL)
        return NULL;
    return VALUE_MAP(a, {"index", value_int(a, joint->index)}, {"of", value_int(a, joint->shards)},
                     {"run", value_string(a, joint->name)}, {"published", value_bool(a, b->state.published)},
                     {"waitingFor", lines(a, &b->state.missing)});
}

void backup_report(struct backup *b)
{
    struct arena *a = b->run->arena;
    const struct manifest *m = b->state.published ? &b->state.manifest : &b->manifest;
    const struct tally *new = &b->tallies[STORE_LACKS], *repaired = &b->tallies[STORE_DIFFERS],
                       *unchanged = &b->tallies[STORE_HOLDS];
    const struct value *packs = VALUE_MAP(a, {"new", value_int(a, (int64_t) new->packs)},
                                          {"unchanged", value_int(a, (int64_t)unchanged->packs)},
                                          {"repaired", value_int(a, (int64_t)repaired->packs)},
                                          {"bytesNew", value_int(a, (int64_t)(new->bytes + repaired->bytes))},
                                          {"bytesUnchanged", value_int(a, (int64_t)unchanged->bytes)});
    run_section(b->run, "backup",
                VALUE_MAP(a, {"id", b->dry ? NULL : value_string(a, m->id)},
                          {"dryRun", b->dry ? value_bool(a, true) : NULL},
                          {"cluster", value_string(a, m->cluster)},
                          {"store", value_string(a, store_url(b->run->store))},
                          {"takenAt", value_string(a, clock_rfc3339(a, m->taken_ms))},
                          {"resourceVersion", value_string(a, m->resource_version)},
                          {"complete", value_bool(a, m->complete)}, {"shard", shard(b)},
                          {"lacking", lacking(b)}, {"missing", manifest_missing(a, &m->types)},
                          {"hooks", m->hooks}, {"objects", value_int(a, (int64_t)m->objects)},
                          {"types", value_int(a, (int64_t)m->types.count)}, {"packs", packs},
                          {"durationMs", value_int(a, clock_monotonic_ms() - b->began_ms)},
                          {"peakMemoryBytes", value_int(a, peak_memory())},
                          {"notes", b->notes.count ? value_list_done(a, &b->notes) : NULL}));
}
