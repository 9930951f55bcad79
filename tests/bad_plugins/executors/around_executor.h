/* An executor around a sound one. A plugin of this folder names a function of its own in place of what it does wrong,
 * then includes this and defines the function. PLUGIN_ID is its file's name, SOUND_EXECUTOR the file of the sound one.
 */
#include "../sound.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct around_executor {
    chm_executor base;
    chm_executor* inner;
    chm_reactor reactor;
    chm_reactor* inner_reactor;
    const chm_service_ext* inner_services;
    atomic_bool running;
} around_executor;

/* Between the executor, which it is a task to, and the task, which it is a waker to. */
typedef struct around_task {
    chm_task task;
    chm_waker waker;
    atomic_uint references; /* the executor's, and one for each waker */
    chm_task* inner;
    chm_waker* inner_waker; /* from the first poll on */
    atomic_uint wakes, polls;
    atomic_bool polling;
    _Bool service;
} around_task;

static inline void retain(around_task* t) { atomic_fetch_add(&t->references, 1); }
static inline void release(around_task* t) {
    if (atomic_fetch_sub(&t->references, 1) != 1) return;
    if (t->inner_waker != NULL) t->inner_waker->vt->drop(t->inner_waker);
    free(t);
}

/* What a sound executor does. */
static inline chm_rc poll_inner(around_task* t) { return t->inner->vt->poll(t->inner, &t->waker); }
static inline void drop_inner(around_task* t) { t->inner->vt->drop(t->inner); }
static inline void wake_inner(around_task* t) { t->inner_waker->vt->wake_by_ref(t->inner_waker); }
static inline void create_inner(around_executor* e) { (void)e; }
static inline chm_rc spawn_inner(around_executor* e, chm_task* task, const chm_spawn_opts* opts);
static inline chm_rc spawn_service_inner(around_executor* e, chm_task* task, const chm_spawn_opts* opts);
static inline chm_rc worker_here_inner(around_executor* e) { return e->inner_services->worker_here(e->inner); }
static inline const void* services(const around_executor* e);
static inline chm_rc run_inner(around_executor* e, uint32_t mode, chm_error* err) {
    return e->inner->vt->run(e->inner, mode, err);
}
static inline void stop_inner(around_executor* e) { e->inner->vt->stop(e->inner); }
static inline void destroy_inner(around_executor* e) {
    e->inner->vt->destroy(e->inner);
    free(e);
}
static inline const void* extension_inner(around_executor* e, const char* id) {
    if (strcmp(id, CHM_EXT_REACTOR) == 0) return e->inner_reactor ? &e->reactor : NULL;
    if (strcmp(id, CHM_EXT_SERVICE) == 0) return services(e);
    return e->inner->vt->get_extension(e->inner, id);
}
static inline chm_rc io_register_inner(chm_reactor* r, int fd, chm_io** out) { return r->vt->io_register(r, fd, out); }
static inline uint32_t io_poll_inner(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    return r->vt->io_poll(r, io, interest, w);
}
static inline void io_clear_inner(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how) {
    r->vt->io_clear(r, io, seen, bits, how);
}
static inline void io_deregister_inner(chm_reactor* r, chm_io* io) { r->vt->io_deregister(r, io); }
static inline chm_rc timer_poll_inner(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    return r->vt->timer_poll(r, t, deadline_ns, w);
}
static inline void timer_destroy_inner(chm_reactor* r, chm_timer* t) { r->vt->timer_destroy(r, t); }
static inline const void* reactor_extension_inner(chm_reactor* r, const char* id) {
    return r->vt->get_extension(r, id);
}

/* What a plugin of this folder does instead. */
#ifndef POLL
#define POLL poll_inner
#endif
#ifndef DROP
#define DROP drop_inner
#endif
#ifndef WAKE
#define WAKE wake_inner
#endif
#ifndef CLONE
#define CLONE retain
#endif
#ifndef CREATE
#define CREATE create_inner
#endif
#ifndef SPAWN
#define SPAWN spawn_inner
#endif
#ifndef SPAWN_SERVICE
#define SPAWN_SERVICE spawn_service_inner
#endif
#ifndef WORKER_HERE
#define WORKER_HERE worker_here_inner
#endif
#ifndef RUN
#define RUN run_inner
#endif
#ifndef STOP
#define STOP stop_inner
#endif
#ifndef DESTROY
#define DESTROY destroy_inner
#endif
#ifndef EXTENSION
#define EXTENSION extension_inner
#endif
#ifndef IO_REGISTER
#define IO_REGISTER io_register_inner
#endif
#ifndef IO_POLL
#define IO_POLL io_poll_inner
#endif
#ifndef IO_CLEAR
#define IO_CLEAR io_clear_inner
#endif
#ifndef IO_DEREGISTER
#define IO_DEREGISTER io_deregister_inner
#endif
#ifndef TIMER_POLL
#define TIMER_POLL timer_poll_inner
#endif
#ifndef TIMER_DESTROY
#define TIMER_DESTROY timer_destroy_inner
#endif
#ifndef REACTOR_EXTENSION
#define REACTOR_EXTENSION reactor_extension_inner
#endif
#ifndef ENTRY_FLAGS
#define ENTRY_FLAGS 0
#endif
#ifndef REACTOR_FLAGS
#define REACTOR_FLAGS CHM_REACTOR_ANY_THREAD
#endif

static chm_rc POLL(around_task* t);
static void DROP(around_task* t);
static void WAKE(around_task* t);
static void CLONE(around_task* t);
static void CREATE(around_executor* e);
static chm_rc SPAWN(around_executor* e, chm_task* task, const chm_spawn_opts* opts);
static chm_rc SPAWN_SERVICE(around_executor* e, chm_task* task, const chm_spawn_opts* opts);
static chm_rc WORKER_HERE(around_executor* e);
static chm_rc RUN(around_executor* e, uint32_t mode, chm_error* err);
static void STOP(around_executor* e);
static void DESTROY(around_executor* e);
static const void* EXTENSION(around_executor* e, const char* id);
static chm_rc IO_REGISTER(chm_reactor* r, int fd, chm_io** out);
static uint32_t IO_POLL(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w);
static void IO_CLEAR(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how);
static void IO_DEREGISTER(chm_reactor* r, chm_io* io);
static chm_rc TIMER_POLL(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w);
static void TIMER_DESTROY(chm_reactor* r, chm_timer* t);
static const void* REACTOR_EXTENSION(chm_reactor* r, const char* id);

static chm_rc task_poll(chm_task* task, chm_waker* w) {
    around_task* t = AROUND(around_task, task, task);
    if (t->inner_waker == NULL) t->inner_waker = w->vt->clone(w);
    atomic_fetch_add(&t->polls, 1);
    atomic_store(&t->polling, 1);
    const chm_rc rc = POLL(t);
    atomic_store(&t->polling, 0);
    return rc;
}
static void task_drop(chm_task* task) {
    around_task* t = AROUND(around_task, task, task);
    DROP(t);
    release(t);
}
static const chm_task_vt task_table = {task_poll, task_drop};

static around_task* task_of(chm_waker* w) { return AROUND(around_task, waker, w); }
static chm_waker* waker_clone(chm_waker* w) {
    CLONE(task_of(w));
    return w;
}
static void waker_wake_by_ref(chm_waker* w) { WAKE(task_of(w)); }
static void waker_drop(chm_waker* w) { release(task_of(w)); }
static void waker_wake(chm_waker* w) {
    WAKE(task_of(w));
    release(task_of(w));
}
static const chm_waker_vt waker_table = {waker_clone, waker_wake, waker_wake_by_ref, waker_drop};

static inline chm_rc spawn_around(around_executor* e, chm_task* task, const chm_spawn_opts* opts, _Bool service) {
    around_task* t = calloc(1, sizeof *t);
    if (t == NULL) return CHM_E_NOMEM;
    t->task.vt = &task_table;
    t->waker.vt = &waker_table;
    t->references = 1;
    t->inner = task;
    t->service = service;
    const chm_rc rc = (service ? e->inner_services->spawn_service : e->inner->vt->spawn)(e->inner, &t->task, opts);
    if (rc < 0) free(t);
    return rc;
}
static inline chm_rc spawn_inner(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    return spawn_around(e, task, opts, 0);
}
static inline chm_rc spawn_service_inner(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    return spawn_around(e, task, opts, 1);
}

static uint32_t service_workers(chm_executor* base) {
    around_executor* e = (around_executor*)base;
    return e->inner_services->workers(e->inner);
}
static chm_rc service_worker_here(chm_executor* e) { return WORKER_HERE((around_executor*)e); }
static chm_rc service_spawn(chm_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    return SPAWN_SERVICE((around_executor*)e, task, opts);
}
static const chm_service_ext service_table = {sizeof service_table, 0, service_workers, service_worker_here,
                                              service_spawn};
static inline const void* services(const around_executor* e) { return e->inner_services ? &service_table : NULL; }

static chm_reactor* inner_reactor(chm_reactor* r) { return AROUND(around_executor, reactor, r)->inner_reactor; }
static chm_rc reactor_io_register(chm_reactor* r, int fd, chm_io** out) {
    return IO_REGISTER(inner_reactor(r), fd, out);
}
static uint32_t reactor_io_poll(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    return IO_POLL(inner_reactor(r), io, interest, w);
}
static void reactor_io_clear(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how) {
    IO_CLEAR(inner_reactor(r), io, seen, bits, how);
}
static void reactor_io_deregister(chm_reactor* r, chm_io* io) { IO_DEREGISTER(inner_reactor(r), io); }
static chm_rc reactor_timer_create(chm_reactor* r, chm_timer** out) {
    return inner_reactor(r)->vt->timer_create(inner_reactor(r), out);
}
static chm_rc reactor_timer_poll(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    return TIMER_POLL(inner_reactor(r), t, deadline_ns, w);
}
static void reactor_timer_destroy(chm_reactor* r, chm_timer* t) { TIMER_DESTROY(inner_reactor(r), t); }
static const void* reactor_extension(chm_reactor* r, const char* id) { return REACTOR_EXTENSION(inner_reactor(r), id); }
static const chm_reactor_vt reactor_table = {
    sizeof reactor_table,  REACTOR_FLAGS,        reactor_io_register, reactor_io_poll,       reactor_io_clear,
    reactor_io_deregister, reactor_timer_create, reactor_timer_poll,  reactor_timer_destroy, reactor_extension};

static chm_rc executor_spawn(chm_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    return SPAWN((around_executor*)e, task, opts);
}
static chm_rc executor_run(chm_executor* base, uint32_t mode, chm_error* err) {
    around_executor* e = (around_executor*)base;
    atomic_store(&e->running, 1);
    const chm_rc rc = RUN(e, mode, err);
    atomic_store(&e->running, 0);
    return rc;
}
static void executor_stop(chm_executor* e) { STOP((around_executor*)e); }
static void executor_destroy(chm_executor* e) { DESTROY((around_executor*)e); }
static const void* executor_extension(chm_executor* e, const char* id) { return EXTENSION((around_executor*)e, id); }
static chm_executor_vt executor_table = {
    sizeof executor_table, 0, executor_spawn, executor_run, executor_stop, executor_destroy,
    executor_extension}; /* flags: the sound executor's */

static const chm_executor_factory* sound;

static chm_rc create(const chm_host* host, const chm_config* config, chm_executor** out, chm_error* err) {
    chm_executor* inner = NULL;
    const chm_rc rc = sound->create(host, config, &inner, err);
    if (rc < 0) return rc;
    around_executor* e = calloc(1, sizeof *e);
    if (e == NULL) abort();
    executor_table.flags = inner->vt->flags;
    e->base.vt = &executor_table;
    e->inner = inner;
    e->reactor.vt = &reactor_table;
    e->inner_reactor = (chm_reactor*)inner->vt->get_extension(inner, CHM_EXT_REACTOR);
    e->inner_services = (const chm_service_ext*)inner->vt->get_extension(inner, CHM_EXT_SERVICE);
    CREATE(e);
    *out = &e->base;
    return CHM_OK;
}

static chm_executor_factory factory = {sizeof factory, 0, NULL, create}; /* options: the sound factory's */

static chm_rc init(const chm_host* host, chm_error* err) {
    (void)host, (void)err;
    sound = sound_factory(SOUND_EXECUTOR, CHM_FACTORY_EXECUTOR);
    factory.n_options = sound->n_options;
    factory.options = sound->options;
    return CHM_OK;
}
static const void* get_factory(const char* id) { return strcmp(id, CHM_FACTORY_EXECUTOR) == 0 ? &factory : NULL; }

CHM_EXPORT const chm_plugin_entry chimera_plugin_entry = {
    sizeof(chm_plugin_entry),         CHM_ABI_MAJOR, CHM_ABI_MINOR, ENTRY_FLAGS, PLUGIN_ID, "1.0",
    "An executor around a sound one", init,          NULL,          get_factory};
