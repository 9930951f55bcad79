/* A whole executor in C for contract 1.0: one worker, the thread that calls run, and an affine reactor on poll(2).
 * Kept as a binary (see README.md): this source says what is in it, and is not built again. C11. */
#define _GNU_SOURCE
#include <chimera/abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SCHEDULED = 1, RUNNING = 2, DONE = 4 }; /* states of a cell, as bits */
enum { POLLS_PER_TURN = 64 };

/* What outlives the executor: every cell refers to it. */
typedef struct hub {
    atomic_uint refs;
    pthread_mutex_t lock;
    struct cell *first, *last; /* the queue; each cell in it carries a reference */
    struct cell* live;         /* tasks that are not dropped; each with a reference */
    int stopped, closed;       /* closed: nothing is queued any more */
    int event;                 /* written to end a turn that waits */
} hub;

typedef struct cell { /* a task; its own waker */
    chm_waker waker;
    atomic_uint refs, state;
    chm_task* task;
    hub* owner;
    struct cell *next, *live_next, **live_at;
} cell;

struct chm_io {
    int fd;
    uint32_t ready, tick, interest;
    chm_waker* waiter;
    struct chm_io* next;
};
struct chm_timer {
    uint64_t deadline; /* 0: not armed */
    chm_waker* waiter;
    struct chm_timer* next;
};
typedef struct worker { /* all but the hub is the running thread's */
    chm_executor executor;
    chm_reactor reactor;
    hub* shared;
    pthread_t thread;
    int running;
    chm_io* ios;
    chm_timer* timers;
} worker;

static worker* of_reactor(chm_reactor* r) { return (worker*)((char*)r - offsetof(worker, reactor)); }

/* --- cells and their wakers --- */
static void hub_release(hub* h) {
    if (atomic_fetch_sub(&h->refs, 1) != 1) return;
    close(h->event);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
static void release(cell* c) {
    if (atomic_fetch_sub(&c->refs, 1) != 1) return;
    hub_release(c->owner);
    free(c);
}
static void queue(cell* c) { /* takes over a reference */
    hub* h = c->owner;
    pthread_mutex_lock(&h->lock);
    const int closed = h->closed, was_empty = h->first == NULL;
    if (!closed) {
        c->next = NULL;
        *(was_empty ? &h->first : &h->last->next) = c;
        h->last = c;
        if (was_empty) eventfd_write(h->event, 1);
    }
    pthread_mutex_unlock(&h->lock);
    if (closed) release(c);
}
static chm_waker* waker_clone(chm_waker* w) { return atomic_fetch_add(&((cell*)w)->refs, 1), w; }
static void waker_drop(chm_waker* w) { release((cell*)w); }
static void waker_wake(chm_waker* w) {
    if (atomic_fetch_or(&((cell*)w)->state, SCHEDULED) == 0)
        queue((cell*)w);
    else
        release((cell*)w);
}
static void waker_wake_by_ref(chm_waker* w) { waker_wake(waker_clone(w)); }
static const chm_waker_vt waker_table = {waker_clone, waker_wake, waker_wake_by_ref, waker_drop};

static void set_waiter(chm_waker** slot, chm_waker* w) {
    chm_waker* old = *slot;
    *slot = w ? w->vt->clone(w) : NULL;
    if (old) old->vt->drop(old);
}
static void wake_waiter(chm_waker** slot) {
    chm_waker* w = *slot;
    *slot = NULL;
    if (w) w->vt->wake(w);
}

/* --- the reactor --- */
static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static int elsewhere(worker* w) { return !w->running || !pthread_equal(w->thread, pthread_self()); }

static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) {
    worker* w = of_reactor(r);
    struct stat s;
    if (elsewhere(w)) return CHM_E_AFFINITY;
    if (fstat(fd, &s) != 0 || S_ISREG(s.st_mode) || S_ISDIR(s.st_mode)) return CHM_E_INVAL;
    for (chm_io* io = w->ios; io; io = io->next)
        if (io->fd == fd) return CHM_E_STATE;
    chm_io* io = calloc(1, sizeof *io);
    if (!io) return CHM_E_NOMEM;
    io->fd = fd;
    io->next = w->ios;
    w->ios = *out = io;
    return CHM_OK;
}
static uint32_t io_poll(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* waker) {
    if (elsewhere(of_reactor(r))) return CHM_IO_ERR;
    if (io->ready & (interest | CHM_IO_ERR | CHM_IO_HUP)) return io->tick << 8 | io->ready;
    io->interest = interest;
    set_waiter(&io->waiter, waker);
    return 0;
}
static void io_clear(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how) {
    (void)r, (void)how; /* poll(2) looks again in either case */
    if (seen >> 8 == (io->tick & 0xffffff)) io->ready &= ~(bits & (CHM_IO_READ | CHM_IO_WRITE));
}
static void io_deregister(chm_reactor* r, chm_io* io) {
    chm_io** at = &of_reactor(r)->ios;
    while (*at != io) at = &(*at)->next;
    *at = io->next;
    set_waiter(&io->waiter, NULL);
    free(io);
}
static chm_rc timer_create_(chm_reactor* r, chm_timer** out) {
    worker* w = of_reactor(r);
    if (elsewhere(w)) return CHM_E_AFFINITY;
    if (!(*out = calloc(1, sizeof **out))) return CHM_E_NOMEM;
    (*out)->next = w->timers;
    w->timers = *out;
    return CHM_OK;
}
static chm_rc timer_poll(chm_reactor* r, chm_timer* t, uint64_t deadline, chm_waker* waker) {
    if (elsewhere(of_reactor(r))) return CHM_E_AFFINITY;
    const int due = now_ns() >= deadline;
    t->deadline = due ? 0 : deadline;
    set_waiter(&t->waiter, due ? NULL : waker);
    return due ? CHM_READY : CHM_PENDING;
}
static void timer_destroy(chm_reactor* r, chm_timer* t) {
    chm_timer** at = &of_reactor(r)->timers;
    while (*at != t) at = &(*at)->next;
    *at = t->next;
    set_waiter(&t->waiter, NULL);
    free(t);
}
static const void* no_extension(chm_reactor* r, const char* id) { return (void)r, (void)id, NULL; }
static const chm_reactor_vt reactor_table = {
    sizeof reactor_table, 0,          io_register,   io_poll,     io_clear, io_deregister,
    timer_create_,        timer_poll, timer_destroy, no_extension};

static void turn(worker* w, int wait) { /* wakes what is ready; may wait for something to be */
    struct pollfd fds[1024] = {{w->shared->event, POLLIN, 0}};
    chm_io* of[1024];
    nfds_t n = 1;
    for (chm_io* io = w->ios; io && n < 1024; io = io->next)
        if (io->waiter) {
            const short events =
                POLLRDHUP | (io->interest & CHM_IO_READ ? POLLIN : 0) | (io->interest & CHM_IO_WRITE ? POLLOUT : 0);
            fds[n] = (struct pollfd){io->fd, events, 0};
            of[n++] = io;
        }
    uint64_t next = UINT64_MAX, now = now_ns();
    for (chm_timer* t = w->timers; t; t = t->next)
        if (t->deadline && t->deadline < next) next = t->deadline;
    const uint64_t ns = !wait || next <= now ? 0 : next - now;
    const struct timespec limit = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    ppoll(fds, n, wait && next == UINT64_MAX ? NULL : &limit, NULL);
    eventfd_t ignored;
    if (fds[0].revents) eventfd_read(w->shared->event, &ignored);
    for (nfds_t i = 1; i < n; ++i) {
        const short e = fds[i].revents;
        if (!e) continue;
        of[i]->ready |= (e & (POLLIN | POLLRDHUP | POLLHUP) ? CHM_IO_READ : 0) | (e & POLLOUT ? CHM_IO_WRITE : 0) |
                        (e & (POLLERR | POLLNVAL) ? CHM_IO_ERR : 0) | (e & (POLLHUP | POLLRDHUP) ? CHM_IO_HUP : 0);
        of[i]->tick++;
        wake_waiter(&of[i]->waiter);
    }
    now = now_ns();
    for (chm_timer* t = w->timers; t; t = t->next)
        if (t->deadline && t->deadline <= now) t->deadline = 0, wake_waiter(&t->waiter);
}

/* --- the executor --- */
static chm_rc spawn(chm_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    hub* h = ((worker*)e)->shared;
    (void)opts; /* one worker: every hint means it */
    cell* c = calloc(1, sizeof *c);
    if (!c) return CHM_E_NOMEM;
    *c = (cell){.waker = {&waker_table}, .refs = 2, .state = SCHEDULED, .task = task, .owner = h};
    pthread_mutex_lock(&h->lock);
    const int stopped = h->stopped;
    if (!stopped) {
        atomic_fetch_add(&h->refs, 1);
        if ((c->live_next = h->live)) h->live->live_at = &c->live_next;
        *(c->live_at = &h->live) = c;
    }
    pthread_mutex_unlock(&h->lock);
    if (stopped) return free(c), CHM_E_CANCELED;
    queue(c);
    return CHM_OK;
}
static void drop_task(cell* c) { /* takes it from the live ones, whose reference it gives back */
    c->task->vt->drop(c->task);
    atomic_exchange(&c->state, DONE);
    pthread_mutex_lock(&c->owner->lock);
    if ((*c->live_at = c->live_next)) c->live_next->live_at = c->live_at;
    pthread_mutex_unlock(&c->owner->lock);
    release(c);
}
static void drop_all(hub* h) {
    for (;;) {
        pthread_mutex_lock(&h->lock);
        cell* c = h->live;
        pthread_mutex_unlock(&h->lock);
        if (!c) return;
        drop_task(c);
    }
}
static void run_cell(cell* c) {
    atomic_exchange(&c->state, RUNNING);
    if (c->task->vt->poll(c->task, &c->waker) != CHM_PENDING) {
        drop_task(c);
        release(c);
    } else if (atomic_fetch_and(&c->state, ~(unsigned)RUNNING) & SCHEDULED) {
        queue(c);
    } else {
        release(c);
    }
}
static cell* take(hub* h, int* stopped, int* idle) { /* the next to be polled, or NULL */
    pthread_mutex_lock(&h->lock);
    cell* c = h->stopped ? NULL : h->first;
    if (c) h->first = c->next;
    *stopped = h->stopped;
    *idle = h->live == NULL;
    pthread_mutex_unlock(&h->lock);
    return c;
}
static chm_rc run(chm_executor* e, uint32_t mode, chm_error* error) {
    worker* w = (worker*)e;
    int stopped = 0, idle = 0, polls = 0;
    (void)error;
    w->thread = pthread_self();
    w->running = 1;
    for (;;) {
        cell* c = take(w->shared, &stopped, &idle);
        if (c)
            run_cell(c);
        else if (stopped || (idle && mode == CHM_RUN_UNTIL_IDLE))
            break;
        if (!c || ++polls % POLLS_PER_TURN == 0) turn(w, !c);
    }
    if (stopped) drop_all(w->shared);
    w->running = 0;
    return stopped ? CHM_E_CANCELED : CHM_OK;
}
static void stop(chm_executor* e) {
    hub* h = ((worker*)e)->shared;
    pthread_mutex_lock(&h->lock);
    h->stopped = 1;
    eventfd_write(h->event, 1);
    pthread_mutex_unlock(&h->lock);
}
static void destroy(chm_executor* e) {
    hub* h = ((worker*)e)->shared;
    stop(e);
    drop_all(h);
    pthread_mutex_lock(&h->lock);
    cell* c = h->first;
    h->first = NULL;
    h->closed = 1;
    pthread_mutex_unlock(&h->lock);
    while (c) {
        cell* next = c->next;
        release(c);
        c = next;
    }
    hub_release(h);
    free(e);
}
static const void* get_extension(chm_executor* e, const char* id) {
    return strcmp(id, CHM_EXT_REACTOR) == 0 ? &((worker*)e)->reactor : NULL;
}
static const chm_executor_vt table = {sizeof table, CHM_EXECUTOR_PINNED, spawn, run, stop, destroy, get_extension};

static chm_rc create(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* error) {
    (void)host;
    if (config && config->n > 0) {
        const chm_str key = config->kv[0].key;
        if (error && error->text) snprintf(error->text, error->cap, "unknown option '%.*s'", (int)key.len, key.ptr);
        return CHM_E_INVAL;
    }
    worker* w = calloc(1, sizeof *w);
    hub* h = calloc(1, sizeof *h);
    const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!w || !h || event < 0) {
        if (event >= 0) close(event);
        return free(w), free(h), CHM_E_NOMEM;
    }
    h->event = event;
    h->refs = 1;
    pthread_mutex_init(&h->lock, NULL);
    w->executor.vt = &table;
    w->reactor.vt = &reactor_table;
    w->shared = h;
    *out = &w->executor;
    return CHM_OK;
}
static const chm_executor_factory factory = {sizeof factory, 0, NULL, create};
static const void* get_factory(const char* id) { return strcmp(id, CHM_FACTORY_EXECUTOR) == 0 ? &factory : NULL; }

CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {
    sizeof chimera_plugin_entry,          CHM_ABI_MAJOR, CHM_ABI_MINOR, 0,          "abi_1_0_executor", "1.0",
    "An executor built for contract 1.0", NULL,          NULL,          get_factory};
