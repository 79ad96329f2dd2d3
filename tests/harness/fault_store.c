#include "tests/harness/fault_store.h"

#include "core/store/store_driver.h"

struct fault {
    struct store store;
    struct store *inner;
    struct fault_plan *plan;
};

enum strike { STRIKE_NOT, STRIKE_BEFORE, STRIKE_AFTER };

static enum strike next_operation(struct fault *fault)
{
    struct fault_plan *plan = fault->plan;
    unsigned number = __atomic_add_fetch(&plan->operations, 1, __ATOMIC_SEQ_CST); /* several threads */
    if (plan->before != NULL)
        plan->before(plan->ctx, number);
    if (plan->at == 0 || number < plan->at || (number > plan->at && !plan->for_good))
        return STRIKE_NOT;
    return plan->after && number == plan->at ? STRIKE_AFTER : STRIKE_BEFORE;
}

static bool struck(const struct fault *fault, struct err *err)
{
    enum err_code code = fault->plan->code ? fault->plan->code : ERR_UNREACHABLE;
    return err_set(err, code, "fault at operation %u", fault->plan->operations);
}

#define FAULTY(store_, call)                                                                                 \
    struct fault *fault = (struct fault *)(store_);                                                          \
    enum strike strike = next_operation(fault);                                                              \
    if (strike == STRIKE_BEFORE)                                                                             \
        return struck(fault, err);                                                                           \
    bool good = (call);                                                                                      \
    return strike == STRIKE_AFTER ? struck(fault, err) : good

static bool faulty_write(struct store *store, struct arena *arena, const struct store_write *write,
                         struct store_info *info, struct err *err)
{
    struct store_write changed = *write;
    struct store *inner = ((struct fault *)store)->inner;
    if (((struct fault *)store)->plan->ignore_create)
        changed.create = false;
    FAULTY(store, inner->driver->write(inner, arena, &changed, info, err));
}

static bool faulty_read(struct store *store, struct arena *arena, struct str key,
                        const struct store_sink *sink, struct err *err)
{
    struct store *inner = ((struct fault *)store)->inner;
    FAULTY(store, inner->driver->read(inner, arena, key, sink, err));
}

static bool is_retained(const struct fault_plan *plan, struct str key)
{
    return plan->retained.len != 0 && str_starts(key, plan->retained);
}

static void age(const struct fault_plan *plan, struct store_info *info)
{
    if (plan->older != NULL && str_starts(info->key, str_of(plan->older)))
        info->modified_ms -= plan->older_ms;
}

static bool head_with_lock(struct fault *fault, struct arena *arena, struct str key, struct store_info *info,
                           struct err *err)
{
    if (!fault->inner->driver->head(fault->inner, arena, key, info, err))
        return false;
    age(fault->plan, info);
    if (is_retained(fault->plan, key)) {
        info->retained_until_ms = fault->plan->retained_until_ms;
        info->legal_hold = fault->plan->legal_hold;
    }
    return true;
}

static bool inner_list(struct fault *fault, struct arena *arena, struct str prefix, struct str after,
                       size_t limit, struct store_page *page, struct err *err)
{
    if (!fault->inner->driver->list(fault->inner, arena, prefix, after, limit, page, err))
        return false;
    for (size_t i = 0; i < page->count; i++)
        age(fault->plan, &page->items[i]);
    return true;
}

static bool faulty_head(struct store *store, struct arena *arena, struct str key, struct store_info *info,
                        struct err *err)
{
    FAULTY(store, head_with_lock((struct fault *)store, arena, key, info, err));
}

static bool faulty_list(struct store *store, struct arena *arena, struct str prefix, struct str after,
                        size_t limit, struct store_page *page, struct err *err)
{
    FAULTY(store, inner_list(fault, arena, prefix, after, limit, page, err));
}

static bool faulty_remove(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct store *inner = ((struct fault *)store)->inner;
    FAULTY(store, inner->driver->remove(inner, arena, key, err));
}

static bool faulty_erase(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct store *inner = ((struct fault *)store)->inner;
    if (is_retained(((struct fault *)store)->plan, key))
        return err_set(err, ERR_REFUSED, "%.*s is retained", STR_ARG(key));
    FAULTY(store, inner->driver->remove(inner, arena, key, err));
}

static void faulty_close(struct store *store)
{
}

static const struct store_driver driver = {
    .name = "fault",
    .write = faulty_write,
    .read = faulty_read,
    .head = faulty_head,
    .list = faulty_list,
    .remove = faulty_remove,
    .erase = faulty_erase,
    .close = faulty_close,
};

struct store *fault_store(struct arena *arena, struct store *inner, struct fault_plan *plan)
{
    struct fault *fault = ARENA_NEW(arena, struct fault);
    *fault =
        (struct fault){.store = {.driver = &driver, .url = store_url(inner)}, .inner = inner, .plan = plan};
    return &fault->store;
}
