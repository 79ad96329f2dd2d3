#include "core/base/pointer.h"
#include "transform/rule.h"

/* Empty where the log does not want it. */
static struct str pointer_of(const struct subject *subject, const char *const *path)
{
    struct str pointer = STR_NONE;
    for (; *path && subject->told; path++)
        pointer = pointer_child(subject->arena, pointer, str_of(*path));
    return pointer;
}

static void note(struct subject *subject, enum transform_action action, struct str pointer,
                 const struct value *value)
{
    subject->log->steps++;
    if (subject->told)
        *ARENA_PUSH(subject->arena, subject->log) =
            (struct transform_entry){subject->rule, subject->live, action, pointer, value};
}

void subject_note_removed(struct subject *subject, struct str pointer)
{
    note(subject, TRANSFORM_REMOVED, pointer, NULL);
}

void subject_note_removed_at(struct subject *subject, const struct pointer_place *place)
{
    note(subject, TRANSFORM_REMOVED, subject->told ? pointer_of_place(subject->arena, place) : STR_NONE,
         NULL);
}

void subject_note_changed(struct subject *subject, struct str pointer, const struct value *value)
{
    note(subject, TRANSFORM_CHANGED, pointer, value);
}

void subject_drop(struct subject *subject)
{
    subject->dropped = true;
    note(subject, TRANSFORM_DROPPED, STR_NONE, NULL);
}

bool subject_remove(struct subject *subject, const char *const *path)
{
    const struct value *less = value_without_in(subject->arena, subject->object, path);
    if (less == subject->object)
        return false;
    subject->object = less;
    subject_note_removed(subject, pointer_of(subject, path));
    return true;
}

/* Takes out the map at the path when it is empty. Only for maps that this rule emptied: one that was empty when it
 * was read may mean something, as in podSelector: {}. */
static void tidy(struct subject *subject, const char *const *path)
{
    const struct value *map = value_in(subject->object, path);
    if (value_is(map, VALUE_MAP) && value_count(map) == 0)
        subject_remove(subject, path);
}

#define PATH_MAX_KEYS 8

void subject_remove_tidy(struct subject *subject, const char *const *path)
{
    const char *parent[PATH_MAX_KEYS] = {NULL};
    for (size_t i = 0; path[i + 1] != NULL && i + 1 < PATH_MAX_KEYS; i++)
        parent[i] = path[i];
    if (subject_remove(subject, path))
        tidy(subject, parent);
}

void subject_set(struct subject *subject, const char *const *path, const struct value *value)
{
    const struct value *before = value_in(subject->object, path);
    if (before != NULL && value_equal(before, value))
        return;
    subject->object = value_with_in(subject->arena, subject->object, path, value);
    subject_note_changed(subject, pointer_of(subject, path), value);
}

void subject_remove_keys(struct subject *subject, const char *const *path, unwanted_key_fn unwanted)
{
    const struct value *map = value_in(subject->object, path);
    struct member *members = NULL; /* from the first that goes on */
    size_t count = 0;
    MEMBER_EACH(member, map) {
        bool goes = unwanted(member->key, value_str(&member->value));
        if (goes) {
            struct str at = pointer_of(subject, path);
            subject_note_removed(subject,
                                 subject->told ? pointer_child(subject->arena, at, member->key) : at);
            if (members == NULL)
                members = arena_grow(subject->arena, map->members, count, map->count - 1, sizeof *members);
        } else {
            if (members != NULL)
                members[count] = *member;
            count++;
        }
    }
    if (members == NULL)
        return;
    struct value_map_builder kept = {members, count, count};
    subject->object =
        value_with_in(subject->arena, subject->object, path, value_map_done(subject->arena, &kept));
    tidy(subject, path);
}

void subject_finding(struct subject *subject, const char *check, enum severity severity, const char *path,
                     struct str message, const char *fix)
{
    struct arena *arena = subject->run->arena; /* the part goes */
    struct finding finding = finding_about(arena, subject->live, check, severity, str_dup(arena, message),
                                           str_c(arena, str_of(fix)));
    finding.path = str_dup(arena, str_of(path));
    *ARENA_PUSH(arena, &subject->run->findings) = finding;
}

static struct str metadata_text(const struct subject *subject, const char *map, const char *key)
{
    return value_str_in(subject->live->object, PATH("metadata", map, key));
}

struct str subject_annotation(const struct subject *subject, const char *key)
{
    return metadata_text(subject, "annotations", key);
}

struct str subject_label(const struct subject *subject, const char *key)
{
    return metadata_text(subject, "labels", key);
}

enum managed_by subject_owner(const struct subject *subject, const char *const *path)
{
    if (!subject->from_cluster)
        return value_in(subject->live->object, path) ? MANAGED_BY_APPLY : MANAGED_BY_NOBODY;
    return managed_who_in(&subject->managed, path);
}

bool subject_meant(const struct subject *subject, const char *const *path)
{
    return subject_owner(subject, path) > MANAGED_BY_CONTROLLER;
}
