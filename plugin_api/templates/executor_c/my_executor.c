/* my_executor: one thread that polls runnable tasks in the order in which they were woken. It has no reactor. The
 * profile names another executor in [foreign], which watches sockets and timers; its threads wake the tasks here. */
#include <chimera/abi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A spawned task and its waker. A wake makes an IDLE task WOKEN, and queues it. A task that is woken while it is
 * RUNNING is queued after its poll. Wakes of a DONE task do nothing. A cell is freed with its last reference: the
 * task's own one, or a clone of the waker. */
typedef struct cell {
    chm_waker waker; /* first, so that a chm_waker * is a cell * */
    struct executor* owner;
    chm_task* task;
    enum { WOKEN, RUNNING, IDLE, DONE } state;
    unsigned refs;
    TAILQ_ENTRY(cell) queued, listed;
} cell;

/* Wakers may be used long after destroy, so an executor is freed with its last cell. The lock guards the executor and
 * its cells. No task and no other foreign code is called under the lock. */
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
    if (c->owner->stopped) return; /* no task is polled any more */
    TAILQ_INSERT_TAIL(&c->owner->queue, c, queued);
    pthread_cond_signal(&c->owner->changed);
}
static void release(executor* x, cell* c) { /* gives back a reference: of c, or if c is NULL, of x */
    locked(x);
    const int free_cell = c && --c->refs == 0, free_executor = (!c || free_cell) && --x->refs == 0;
    unlock(x);
    if (free_cell) free(c);
    if (free_executor) free(x);
}

/* Wakers: [any-thread], also after destroy. */
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

static void drop_task(cell* c) { /* locked, except during the drop itself: it may spawn, wake or be slow */
    executor* const x = c->owner;
    TAILQ_REMOVE(&x->live, c, listed);
    c->state = DONE;
    unlock(x);
    c->task->vt->drop(c->task);
    release(x, c);
    locked(x);
}
static chm_rc spawn(chm_executor* e, chm_task* task, const chm_spawn_opts* hints) { /* [any-thread] */
    cell* const c = malloc(sizeof *c);
    if (!c) return CHM_E_NOMEM; /* after an error the task stays the caller's */
    (void)hints;                /* one thread: nothing to choose */
    executor* const x = locked((executor*)e);
    if (x->stopped) return unlock(x), free(c), CHM_E_CANCELED;
    *c = (cell){{&waker_table}, x, task, .refs = 1};
    ++x->refs;
    TAILQ_INSERT_TAIL(&x->live, c, listed);
    enqueue(c); /* every task is polled once without a wake */
    return unlock(x), CHM_OK;
}
static chm_rc run(chm_executor* e, uint32_t mode, chm_error* error) { /* [run-thread & once] */
    executor* const x = locked((executor*)e);
    (void)error;
    while (!x->stopped && (mode == CHM_RUN_UNTIL_STOP || !TAILQ_EMPTY(&x->live))) {
        /* The lock is held until the thread sleeps, so no wake falls between the look at the queue and the sleep. */
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
static void stop(chm_executor* e) { /* [any-thread] any number of times */
    executor* const x = locked((executor*)e);
    x->stopped = 1;
    pthread_cond_signal(&x->changed);
    unlock(x);
}
static void destroy(chm_executor* e) {
    stop(e);
    run(e, CHM_RUN_UNTIL_IDLE, NULL); /* polls nothing, drops the tasks that never ran */
    release((executor*)e, NULL);
}
static const void* get_extension(chm_executor* e, const char* id) { return (void)e, (void)id, NULL; }
static const chm_executor_vt table = {sizeof table, CHM_EXECUTOR_PINNED, spawn, run, stop, destroy, get_extension};

static chm_rc create(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error) {
    (void)host;
    if (config && config->n > 0) { /* there are no options, and not every host checks that */
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
