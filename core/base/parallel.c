#include "core/base/parallel.h"

#include <pthread.h>

enum { MAX_THREADS = 32 };

struct loop {
    pthread_mutex_t lock;
    size_t next, count;
    parallel_fn work;
    void *ctx;
    bool failed;
    struct err err; /* of the first failure */
};

static bool take(struct loop *loop, size_t *ret_index)
{
    pthread_mutex_lock(&loop->lock);
    bool more = !loop->failed && loop->next < loop->count;
    if (more)
        *ret_index = loop->next++;
    pthread_mutex_unlock(&loop->lock);
    return more;
}

static void fail(struct loop *loop, const struct err *err)
{
    pthread_mutex_lock(&loop->lock);
    if (!loop->failed)
        loop->err = *err;
    loop->failed = true;
    pthread_mutex_unlock(&loop->lock);
}

static void *run(void *ctx)
{
    struct loop *loop = ctx;
    for (size_t index = 0; take(loop, &index);) {
        struct err err = {0};
        if (!loop->work(loop->ctx, index, &err))
            fail(loop, &err);
    }
    return NULL;
}

/* A thread that cannot be had is done without. */
bool parallel_for(size_t count, unsigned threads, parallel_fn work, void *ctx, struct err *err)
{
    struct loop loop = {.count = count, .work = work, .ctx = ctx};
    pthread_t others[MAX_THREADS];
    unsigned started = 0;
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    pthread_mutex_init(&loop.lock, NULL);
    while (started + 1 < threads && started + 1 < count &&
           pthread_create(&others[started], NULL, run, &loop) == 0)
        started++;
    run(&loop);
    for (unsigned i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    pthread_mutex_destroy(&loop.lock);
    if (loop.failed)
        *err = loop.err;
    return !loop.failed;
}
