/* my_executor: one thread that polls runnable tasks in the order in which they were woken. It has no reactor: sockets
 * and timers are watched by the executor that the profile names in [foreign], whose threads then wake tasks here. */
#include <chimera/abi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A spawned task and its waker. IDLE, a wake makes it WOKEN and queues it. Woken while it is RUNNING, it is queued when
 * its poll ends. When it is DONE wakes do nothing. Freed with the last reference: the task's own, or a clone of the
 * waker. */
typedef struct cell {
    chm_waker waker; /* first, so that a chm_waker * is a cell * */
    struct executor* owner;
    chm_task* task;
    enum { WOKEN, RUNNING, IDLE, DONE } state;
    unsigned refs;
    TAILQ_ENTRY(cell) queued, listed;
} cell;

/* Wakers may be used when their executor is long destroyed, so it is freed with its last cell. The lock guards it and
 * its cells. Nobody calls a task, or anything else that is not ours, under it. */
typedef struct executor {
    chm_executor base;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned refs; /* one until destroy, one for each cell */
    int stopped;
    TAILQ_HEAD(, cell) queue, live;
} executor;

static executor* locked(executor* x) { return pthread_mutex_lock(&x->lock), x; }
static void unlock(executor* x) { pthread_mutex_unlock(&x->lock); }
static void enqueue(cell* c) { /* locked */
    c->state = WOKEN;
    if (c->owner->stopped) return; /* nothing is polled any more */
    TAILQ_INSERT_TAIL(&c->owner->queue, c, queued);
    pthread_cond_signal(&c->owner->changed);
}
static void release(executor* x, cell* c) { /* a reference of the cell, or where it is NULL, of the executor */
    locked(x);
    const int free_cell = c && --c->refs == 0, free_executor = (!c || free_cell) && --x->refs == 0;
    unlock(x);
    if (free_cell) free(c);
    if (free_executor) free(x);
}

/* Wakers: any thread, at any time. */
static chm_waker* waker_clone(chm_waker* w) {
    locked(((cell*)w)->owner);
    ++((cell*)w)->refs;
    return unlock(((cell*)w)->owner), w;
}
static void waker_wake_by_ref(chm_waker* w) {
    cell* const c = (cell*)w;
    locked(c->owner);
    if (c->state == IDLE) enqueue(c);
    if (c->state == RUNNING) c->state = WOKEN;
    unlock(c->owner);
}
static void waker_drop(chm_waker* w) { release(((cell*)w)->owner, (cell*)w); }
static void waker_wake(chm_waker* w) { waker_wake_by_ref(w), waker_drop(w); }
static const chm_waker_vt waker_table = {waker_clone, waker_wake, waker_wake_by_ref, waker_drop};

static void drop_task(cell* c) { /* locked, but not while the task is dropped: that may spawn, wake or take its time */
    executor* const x = c->owner;
    TAILQ_REMOVE(&x->live, c, listed);
    c->state = DONE;
    unlock(x);
    c->task->vt->drop(c->task);
    release(x, c);
    locked(x);
}
static chm_rc spawn(chm_executor* e, chm_task* task, const chm_spawn_opts* hints) { /* [any thread] */
    cell* const c = malloc(sizeof *c);
    if (!c) return CHM_E_NOMEM; /* on an error the task stays the caller's */
    (void)hints;                /* with one thread there is nothing to choose */
    executor* const x = locked((executor*)e);
    if (x->stopped) return unlock(x), free(c), CHM_E_CANCELED;
    *c = (cell){{&waker_table}, x, task, .refs = 1};
    ++x->refs;
    TAILQ_INSERT_TAIL(&x->live, c, listed);
    enqueue(c); /* every task is polled once without a wake */
    return unlock(x), CHM_OK;
}
static chm_rc run(chm_executor* e, uint32_t mode, chm_error* error) { /* [one thread, once] */
    executor* const x = locked((executor*)e);
    (void)error;
    while (!x->stopped && (mode == CHM_RUN_UNTIL_STOP || !TAILQ_EMPTY(&x->live))) {
        /* No wake falls between the look at the queue and the sleep: the lock is held until then. */
        while (TAILQ_EMPTY(&x->queue) && !x->stopped) pthread_cond_wait(&x->changed, &x->lock);
        if (x->stopped) break;
        cell* const c = TAILQ_FIRST(&x->queue);
        TAILQ_REMOVE(&x->queue, c, queued);
        c->state = RUNNING;
        unlock(x);
        const chm_rc rc = c->task->vt->poll(c->task, &c->waker);
        locked(x);
        if (rc != CHM_PENDING)
            drop_task(c);
        else if (c->state == WOKEN)
            enqueue(c); /* exactly one more poll, behind the others */
        else
            c->state = IDLE;
    }
    const int stopped = x->stopped;
    while (stopped && !TAILQ_EMPTY(&x->live)) drop_task(TAILQ_FIRST(&x->live)); /* on the thread that polls */
    unlock(x);
    return stopped ? CHM_E_CANCELED : CHM_OK;
}
static void stop(chm_executor* e) { /* [any thread, any number of times] */
    executor* const x = locked((executor*)e);
    x->stopped = 1;
    pthread_cond_signal(&x->changed);
    unlock(x);
}
static void destroy(chm_executor* e) {
    stop(e);
    run(e, CHM_RUN_UNTIL_IDLE, NULL); /* polls nothing, drops what never ran */
    release((executor*)e, NULL);
}
static const void* get_extension(chm_executor* e, const char* id) { return (void)e, (void)id, NULL; }
static const chm_executor_vt table = {sizeof table, CHM_EXECUTOR_PINNED, spawn, run, stop, destroy, get_extension};

static chm_rc create(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error) {
    (void)host;
    if (config && config->n > 0) { /* there are no options; another host may not have checked that */
        const chm_str key = config->kv[0].key;
        if (error && error->text) snprintf(error->text, error->cap, "unknown option '%.*s'", (int)key.len, key.ptr);
        return CHM_E_INVAL;
    }
    executor* const x = malloc(sizeof *x);
    if (!x) return CHM_E_NOMEM;
    *x = (executor){{&table}, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, .refs = 1};
    TAILQ_INIT(&x->queue);
    TAILQ_INIT(&x->live);
    return *out = &x->base, CHM_OK;
}
static const chm_executor_factory factory = {sizeof factory, 0, NULL, create};
static const void* get_factory(const char* id) { return id && !strcmp(id, CHM_FACTORY_EXECUTOR) ? &factory : NULL; }

CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {.size = sizeof(chm_plugin_entry),
                                                          .abi_major = CHM_ABI_MAJOR,
                                                          .abi_minor = CHM_ABI_MINOR,
                                                          .id = "my_executor",
                                                          .version = "0.1",
                                                          .description = "one thread and one queue, without a reactor",
                                                          .get_factory = get_factory};
