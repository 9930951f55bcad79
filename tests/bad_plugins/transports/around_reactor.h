/* A reactor between a sound transport and its own. A plugin of this folder names a function of its own in place of what
 * it does wrong, then includes this and defines the function. */
#define OPEN open_over_reactor
#include "around_transport.h"

#include <unistd.h>

typedef struct around_io {
    chm_io* inner;
    int fd;
} around_io;

typedef struct around_reactor {
    chm_reactor base;
    chm_reactor* inner;
} around_reactor;

static inline chm_reactor* inner_reactor(chm_reactor* r) { return ((around_reactor*)r)->inner; }

static inline uint32_t io_poll_inner(chm_reactor* r, around_io* io, uint32_t interest, chm_waker* w) {
    return inner_reactor(r)->vt->io_poll(inner_reactor(r), io->inner, interest, w);
}
static inline void deregister_inner(chm_reactor* r, around_io* io) {
    inner_reactor(r)->vt->io_deregister(inner_reactor(r), io->inner);
}

/* What a plugin of this folder does instead. */
#ifndef IO_POLL
#define IO_POLL io_poll_inner
#endif
#ifndef DEREGISTER
#define DEREGISTER deregister_inner
#endif

static uint32_t IO_POLL(chm_reactor* r, around_io* io, uint32_t interest, chm_waker* w);
static void DEREGISTER(chm_reactor* r, around_io* io);

static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) {
    around_io* io = calloc(1, sizeof *io);
    if (io == NULL) abort();
    io->fd = fd;
    const chm_rc rc = inner_reactor(r)->vt->io_register(inner_reactor(r), fd, &io->inner);
    if (rc < 0) free(io);
    if (rc == CHM_OK) *out = (chm_io*)io;
    return rc;
}
static uint32_t io_poll(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    return IO_POLL(r, (around_io*)io, interest, w);
}
static void io_clear(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how) {
    inner_reactor(r)->vt->io_clear(inner_reactor(r), ((around_io*)io)->inner, seen, bits, how);
}
static void io_deregister(chm_reactor* r, chm_io* io) {
    DEREGISTER(r, (around_io*)io);
    free(io);
}
static chm_rc timer_create(chm_reactor* r, chm_timer** out) {
    return inner_reactor(r)->vt->timer_create(inner_reactor(r), out);
}
static chm_rc timer_poll(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    return inner_reactor(r)->vt->timer_poll(inner_reactor(r), t, deadline_ns, w);
}
static void timer_destroy(chm_reactor* r, chm_timer* t) { inner_reactor(r)->vt->timer_destroy(inner_reactor(r), t); }
static const void* reactor_extension(chm_reactor* r, const char* id) { return (void)r, (void)id, NULL; }

static chm_rc open_over_reactor(around_session* s, chm_error* err) {
    static const chm_reactor_vt table = {sizeof table,  CHM_REACTOR_ANY_THREAD, io_register,  io_poll,
                                         io_clear,      io_deregister,          timer_create, timer_poll,
                                         timer_destroy, reactor_extension};
    around_reactor* r = calloc(1, sizeof *r);
    if (r == NULL) abort();
    r->base.vt = &table;
    r->inner = s->args.reactor;
    s->extra = r;
    if (s->args.reactor != NULL) s->args.reactor = &r->base;
    const chm_rc rc = open_inner(s, err);
    if (rc < 0) free(r);
    return rc;
}
