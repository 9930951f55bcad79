/* An executor in C99: one thread, one queue, epoll. Everything that the contract asks of an executor with a reactor.
 *
 * The thread that calls run is the only worker, so tasks are pinned and the reactor is affine: descriptors, timers and
 * the heap need no lock. What other threads reach (spawn, stop, wakes) lies behind a mutex. */
#define _POSIX_C_SOURCE 200809L
#include <chimera/abi.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { SCHEDULED = 1, RUNNING = 2 };

/* A spawned task, which is its own waker. References: the live list's, the queue's, one for each waker. */
struct cell {
    chm_waker waker; /* first: a chm_waker * is a struct cell * */
    struct loop* loop;
    chm_task* task;         /* NULL: dropped */
    unsigned refs, state;   /* atomic */
    struct cell* next;      /* in the queue */
    struct cell *up, *down; /* in the live list */
};

struct chm_io {
    int fd;
    uint32_t readiness, interest; /* readiness: bits in the low 8, a tick of the kernel's reports above */
    chm_waker* waiter;            /* NULL: nobody waits */
};

struct chm_timer {
    uint64_t deadline;
    int armed;
    chm_timer *earlier, *later; /* while armed */
    chm_waker* waiter;
};

/* The executor. Its memory lasts as long as there are cells. */
struct loop {
    chm_executor executor; /* first: a chm_executor * is a struct loop * */
    chm_reactor reactor;
    unsigned refs; /* atomic */
    int stopped;   /* atomic; written under the mutex */
    /* Guarded by the mutex. */
    pthread_mutex_t mutex;
    int event; /* an eventfd that interrupts epoll_wait */
    int asleep;
    struct cell *head, *tail, *live;
    int running;      /* atomic: worker is known */
    pthread_t worker; /* whose all the rest is */
    int epoll, alarm;
    uint64_t alarm_ns;       /* what the alarm is set to; 0: nothing */
    chm_timer *first, *last; /* armed, by deadline */
};

static void loop_release(struct loop* l) {
    if (__atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL) > 0) return;
    pthread_mutex_destroy(&l->mutex);
    free(l);
}
static void cell_release(struct cell* c) {
    if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0) return;
    loop_release(c->loop);
    free(c);
}
static int stopped(const struct loop* l) { return __atomic_load_n(&l->stopped, __ATOMIC_ACQUIRE); }
/* [mutex held] A write that fails finds the eventfd full: then it has interrupted already. */
static void interrupt(struct loop* l) {
    const uint64_t one = 1;
    if (write(l->event, &one, sizeof one) < 0) return;
}

/* Queues the cell with the queue's reference, which is given back after stop. [mutex held] */
static int push(struct loop* l, struct cell* c) {
    if (stopped(l)) return 0;
    c->next = NULL;
    *(l->tail ? &l->tail->next : &l->head) = c;
    l->tail = c;
    if (l->asleep) interrupt(l);
    l->asleep = 0;
    return 1;
}
static void schedule(struct cell* c) {
    pthread_mutex_lock(&c->loop->mutex);
    const int queued = push(c->loop, c);
    pthread_mutex_unlock(&c->loop->mutex);
    if (!queued) cell_release(c);
}

/* --- wakers --- */

static chm_waker* waker_clone(chm_waker* w) {
    __atomic_add_fetch(&((struct cell*)w)->refs, 1, __ATOMIC_RELAXED);
    return w;
}
static void waker_wake_by_ref(chm_waker* w) {
    struct cell* c = (struct cell*)w;
    /* A read-modify-write also where it is scheduled already: what was written before the wake is seen by its poll. */
    if (__atomic_fetch_or(&c->state, SCHEDULED, __ATOMIC_ACQ_REL) != 0) return;
    waker_clone(w);
    schedule(c);
}
static void waker_drop(chm_waker* w) { cell_release((struct cell*)w); }
static void waker_wake(chm_waker* w) {
    waker_wake_by_ref(w);
    waker_drop(w);
}
static const chm_waker_vt waker_table = {waker_clone, waker_wake, waker_wake_by_ref, waker_drop};

/* What an io or a timer does with the waker of its waiter. */
static void waiter_end(chm_waker** slot, int wake) {
    chm_waker* w = *slot;
    *slot = NULL;
    if (w) (wake ? w->vt->wake : w->vt->drop)(w);
}
static void waiter_set(chm_waker** slot, chm_waker* borrowed) {
    chm_waker* fresh = borrowed->vt->clone(borrowed); /* first: it may be the one that is replaced */
    waiter_end(slot, 0);
    *slot = fresh;
}

/* --- descriptors: edge-triggered from registration on, so that a poll makes no system call --- */

static struct loop* loop_of(chm_reactor* r) { return (struct loop*)(void*)((char*)r - offsetof(struct loop, reactor)); }
static int on_worker(const struct loop* l) {
    return __atomic_load_n(&l->running, __ATOMIC_ACQUIRE) && pthread_equal(pthread_self(), l->worker);
}
static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}
static chm_rc fail(chm_error* err, chm_rc code, const char* what, chm_str which) {
    if (err && err->text && err->cap > 0) snprintf(err->text, err->cap, "%s '%.*s'", what, (int)which.len, which.ptr);
    return code;
}
static int watch(struct loop* l, int how, int fd, void* what) {
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = what}};
    return epoll_ctl(l->epoll, how, fd, &e);
}

static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) {
    if (!on_worker(loop_of(r))) return CHM_E_AFFINITY;
    chm_io* io = calloc(1, sizeof *io);
    if (!io) return CHM_E_NOMEM;
    io->fd = fd;
    if (watch(loop_of(r), EPOLL_CTL_ADD, fd, io) == 0) {
        *out = io;
        return CHM_OK;
    }
    free(io);
    return errno == EEXIST ? CHM_E_STATE : errno == ENOMEM || errno == ENOSPC ? CHM_E_NOMEM : CHM_E_INVAL;
}
static uint32_t io_poll(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* waker) {
    if (!on_worker(loop_of(r))) return CHM_IO_ERR;
    io->interest = interest | CHM_IO_ERR | CHM_IO_HUP;
    if (io->readiness & io->interest) return io->readiness;
    waiter_set(&io->waiter, waker);
    return 0;
}

static void io_report(chm_io* io, uint32_t events) {
    uint32_t bits = 0;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)) bits |= CHM_IO_READ;
    if (events & EPOLLOUT) bits |= CHM_IO_WRITE;
    if (events & EPOLLERR) bits |= CHM_IO_ERR;
    if (events & (EPOLLHUP | EPOLLRDHUP)) bits |= CHM_IO_HUP;
    io->readiness = (io->readiness + 0x100U) | bits;
    if (bits & io->interest) waiter_end(&io->waiter, 1);
}
static void io_clear(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how) {
    if (io->readiness >> 8 != seen >> 8) return; /* the kernel has reported since */
    io->readiness &= ~(bits & (CHM_IO_READ | CHM_IO_WRITE));
    if (how == CHM_IO_RECHECK) watch(loop_of(r), EPOLL_CTL_MOD, io->fd, io); /* reports again what is still ready */
}

/* Events are worked off before any task is polled, so none is left that points to this io. */
static void io_deregister(chm_reactor* r, chm_io* io) {
    epoll_ctl(loop_of(r)->epoll, EPOLL_CTL_DEL, io->fd, NULL);
    waiter_end(&io->waiter, 0);
    free(io);
}

/* --- timers: a sorted list, searched from its end (most have the same limit), behind one timerfd --- */

static void disarm(struct loop* l, chm_timer* t) {
    if (!t->armed) return;
    t->armed = 0;
    *(t->earlier ? &t->earlier->later : &l->first) = t->later;
    *(t->later ? &t->later->earlier : &l->last) = t->earlier;
}
static void arm(struct loop* l, chm_timer* t, uint64_t deadline) {
    disarm(l, t);
    t->earlier = l->last;
    while (t->earlier && t->earlier->deadline > deadline) t->earlier = t->earlier->earlier;
    t->later = t->earlier ? t->earlier->later : l->first;
    *(t->earlier ? &t->earlier->later : &l->first) = t;
    *(t->later ? &t->later->earlier : &l->last) = t;
    t->deadline = deadline;
    t->armed = 1;
}

static chm_rc timer_create_thunk(chm_reactor* r, chm_timer** out) {
    if (!on_worker(loop_of(r))) return CHM_E_AFFINITY;
    *out = calloc(1, sizeof **out);
    return *out ? CHM_OK : CHM_E_NOMEM;
}
static chm_rc timer_poll(chm_reactor* r, chm_timer* t, uint64_t deadline, chm_waker* waker) {
    struct loop* l = loop_of(r);
    if (!on_worker(l)) return CHM_E_AFFINITY;
    if (now_ns() >= deadline) {
        disarm(l, t);
        waiter_end(&t->waiter, 0);
        return CHM_READY;
    }
    if (!t->armed || t->deadline != deadline) arm(l, t, deadline);
    waiter_set(&t->waiter, waker);
    return CHM_PENDING;
}
static void timer_destroy(chm_reactor* r, chm_timer* t) {
    disarm(loop_of(r), t);
    waiter_end(&t->waiter, 0);
    free(t);
}

static const void* no_extension(chm_reactor* r, const char* id) { return (void)r, (void)id, NULL; }
static const chm_reactor_vt reactor_table = {
    sizeof(chm_reactor_vt), 0,          io_register,   io_poll,     io_clear, io_deregister,
    timer_create_thunk,     timer_poll, timer_destroy, no_extension};

/* --- run --- */

/* One look at the kernel; wakes, and polls nothing. epoll_wait counts milliseconds, so timers have a timerfd. */
static void turn(struct loop* l, int timeout_ms) {
    const uint64_t next = l->first ? l->first->deadline : 0;
    if (next != l->alarm_ns) {
        struct itimerspec when = {{0, 0}, {(time_t)(next / 1000000000U), (long)(next % 1000000000U)}};
        timerfd_settime(l->alarm, TFD_TIMER_ABSTIME, &when, NULL);
        l->alarm_ns = next;
    }
    struct epoll_event events[256];
    const int n = epoll_wait(l->epoll, events, 256, timeout_ms);
    for (int i = 0; i < n; ++i)
        if (events[i].data.ptr) io_report(events[i].data.ptr, events[i].events);
    const uint64_t now = l->first ? now_ns() : 0;
    while (l->first && l->first->deadline <= now) {
        chm_timer* t = l->first;
        disarm(l, t);
        waiter_end(&t->waiter, 1);
    }
}

static void drop_task(struct cell* c) {
    chm_task* task = c->task;
    c->task = NULL;
    task->vt->drop(task);
    __atomic_fetch_or(&c->state, SCHEDULED, __ATOMIC_ACQ_REL); /* for ever: nobody queues it again */
    pthread_mutex_lock(&c->loop->mutex);
    *(c->up ? &c->up->down : &c->loop->live) = c->down;
    if (c->down) c->down->up = c->up;
    pthread_mutex_unlock(&c->loop->mutex);
    cell_release(c);
}
static void poll_once(struct cell* c) {
    __atomic_exchange_n(&c->state, RUNNING, __ATOMIC_ACQ_REL);
    int again = 0;
    if (c->task->vt->poll(c->task, &c->waker) != CHM_PENDING)
        drop_task(c);
    else
        again = __atomic_fetch_and(&c->state, ~(unsigned)RUNNING, __ATOMIC_ACQ_REL) & SCHEDULED;
    (again ? schedule : cell_release)(c); /* again: woken during its poll */
}

/* The queue; NULL: the next push interrupts epoll_wait. */
static struct cell* take_all(struct loop* l, struct cell** live) {
    pthread_mutex_lock(&l->mutex);
    struct cell* all = l->head;
    l->head = l->tail = NULL;
    l->asleep = all == NULL;
    *live = l->live;
    pthread_mutex_unlock(&l->mutex);
    return all;
}
static void drop_all(struct loop* l) {
    struct cell* live;
    do {
        for (struct cell *c = take_all(l, &live), *next; c; c = next) {
            next = c->next;
            cell_release(c);
        }
        if (live) drop_task(live);
    } while (live);
}

static chm_rc run(chm_executor* e, uint32_t mode, chm_error* err) {
    struct loop* l = (struct loop*)e;
    (void)err;
    if (mode > CHM_RUN_UNTIL_STOP) return CHM_E_INVAL;
    l->worker = pthread_self();
    __atomic_store_n(&l->running, 1, __ATOMIC_RELEASE);
    while (!stopped(l)) {
        struct cell *live, *batch = take_all(l, &live);
        if (!batch && !live && mode == CHM_RUN_UNTIL_IDLE) return CHM_OK;
        turn(l, batch ? 0 : -1);
        for (struct cell* next; batch; batch = next) {
            next = batch->next;
            if (stopped(l))
                cell_release(batch);
            else
                poll_once(batch);
        }
    }
    drop_all(l);
    return CHM_E_CANCELED;
}

static chm_rc spawn(chm_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    struct loop* l = (struct loop*)e;
    struct cell* c = task ? calloc(1, sizeof *c) : NULL;
    (void)opts; /* hints may be disregarded */
    if (!c) return task ? CHM_E_NOMEM : CHM_E_INVAL;
    *c = (struct cell){{&waker_table}, l, task, 2, SCHEDULED, NULL, NULL, NULL};
    __atomic_add_fetch(&l->refs, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&l->mutex);
    const int taken = push(l, c);
    if (taken) {
        c->down = l->live;
        if (l->live) l->live->up = c;
        l->live = c;
    }
    pthread_mutex_unlock(&l->mutex);
    if (taken) return CHM_OK;
    c->refs = 1; /* there is neither a list nor a queue that has it */
    cell_release(c);
    return CHM_E_CANCELED;
}
static void stop(chm_executor* e) {
    struct loop* l = (struct loop*)e;
    pthread_mutex_lock(&l->mutex);
    __atomic_store_n(&l->stopped, 1, __ATOMIC_RELEASE);
    interrupt(l);
    pthread_mutex_unlock(&l->mutex);
}

static void destroy(chm_executor* e) {
    struct loop* l = (struct loop*)e;
    stop(e); /* a task that is dropped here cannot spawn another, and no wake queues one */
    drop_all(l);
    close(l->event);
    close(l->alarm);
    close(l->epoll);
    loop_release(l);
}

static const void* get_extension(chm_executor* e, const char* id) {
    return id && strcmp(id, CHM_EXT_REACTOR) == 0 ? &((struct loop*)e)->reactor : NULL;
}
static const chm_executor_vt executor_table = {
    sizeof(chm_executor_vt), CHM_EXECUTOR_PINNED, spawn, run, stop, destroy, get_extension};

/* --- the plugin --- */

static chm_rc create(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* err) {
    (void)host;
    if (config && config->n > 0) return fail(err, CHM_E_INVAL, "unknown option", config->kv[0].key);
    struct loop* l = calloc(1, sizeof *l);
    if (!l) return CHM_E_NOMEM;
    l->executor.vt = &executor_table;
    l->reactor.vt = &reactor_table;
    l->refs = 1;
    pthread_mutex_init(&l->mutex, NULL);
    l->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    /* Edge-triggered: neither is ever read. */
    if (watch(l, EPOLL_CTL_ADD, l->event, NULL) == 0 && watch(l, EPOLL_CTL_ADD, l->alarm, NULL) == 0) {
        *out = &l->executor;
        return CHM_OK;
    }
    destroy(&l->executor);
    return fail(err, CHM_E_FAIL, "no descriptors left for", (chm_str){"epoll", 5});
}

static const chm_executor_factory factory = {sizeof(chm_executor_factory), 0, NULL, create};
static const void* get_factory(const char* id) { return id && strcmp(id, CHM_FACTORY_EXECUTOR) == 0 ? &factory : NULL; }

CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {.size = sizeof(chm_plugin_entry),
                                                          .abi_major = CHM_ABI_MAJOR,
                                                          .abi_minor = CHM_ABI_MINOR,
                                                          .id = "epoll_c",
                                                          .version = "1.0",
                                                          .description = "One thread and an epoll loop, in C99",
                                                          .get_factory = get_factory};
