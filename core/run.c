#include "core/run.h"

void run_section(struct run *run, const char *name, const struct value *section)
{
    for (size_t i = 0; i < run->sections.count; i++)
        if (str_is(run->sections.items[i].key, name)) {
            run->sections.items[i].value = *section;
            return;
        }
    value_put(run->arena, &run->sections, str_of(name), section);
}

const struct value *run_report(struct run *run)
{
    return value_map_done(run->arena, &run->sections);
}
