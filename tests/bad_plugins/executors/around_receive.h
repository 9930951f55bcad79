/* An executor whose reactor also receives, around a sound one that only reports readiness. A plugin of this folder
 * names a function of its own in place of what it does wrong, then includes this and defines the function. */
#define REACTOR_EXTENSION receive_extension
#include "around_executor.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

typedef struct around_receive {
    chm_io* io;
    int fd;       /* a duplicate: the socket itself may be registered beside it */
    int number;   /* the socket's own */
    int os_error; /* of a receive that failed */
    unsigned ends, polls;
} around_receive;

static atomic_bool receiving[1 << 16]; /* by number */

/* What a sound reactor does. */
static inline chm_rc start_inner(chm_reactor* r, int number, around_receive** out) {
    struct stat about;
    if (fstat(number, &about) < 0 || !S_ISSOCK(about.st_mode)) return CHM_E_INVAL;
    if (number >= (int)(sizeof receiving / sizeof receiving[0])) return CHM_E_LIMIT;
    if (atomic_exchange(&receiving[number], 1)) return CHM_E_STATE;
    around_receive* x = calloc(1, sizeof *x);
    if (x == NULL) abort();
    x->fd = dup(number);
    x->number = number;
    if (io_register_inner(r, x->fd, &x->io) < 0) abort();
    *out = x;
    return CHM_OK;
}
static inline chm_rc receive_inner(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity,
                                   chm_received* out) {
    char looked_at;
    out->os_error = 0;
    out->count = out->kernel_ns = 0;
    for (;;) {
        const ssize_t n = capacity > 0 ? recv(x->fd, to, capacity, 0) : recv(x->fd, &looked_at, 1, MSG_PEEK);
        if (n < 0 && errno != EAGAIN) x->os_error = errno;
        if (capacity == 0 && (n >= 0 || x->os_error != 0)) return CHM_READY;
        if (n > 0) out->count = (uint64_t)n;
        if (n > 0) return CHM_READY;
        if ((out->os_error = x->os_error) != 0) return CHM_E_IO; /* the kernel tells it once */
        if (n == 0) return CHM_END;
        if (w == NULL) return CHM_PENDING;
        const uint32_t seen = io_poll_inner(r, x->io, CHM_IO_READ, w);
        if (seen == 0) return CHM_PENDING;
        io_clear_inner(r, x->io, seen, CHM_IO_READ, CHM_IO_DRAINED);
    }
}
static inline void close_inner(chm_reactor* r, around_receive* x) {
    io_deregister_inner(r, x->io);
    close(x->fd);
    atomic_store(&receiving[x->number], 0);
    free(x);
}

/* What a plugin of this folder does instead. */
#ifndef START
#define START start_inner
#endif
#ifndef RECEIVE
#define RECEIVE receive_inner
#endif
#ifndef CLOSE
#define CLOSE close_inner
#endif

static chm_rc START(chm_reactor* r, int number, around_receive** out);
static chm_rc RECEIVE(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity, chm_received* out);
static void CLOSE(chm_reactor* r, around_receive* x);

static chm_rc recv_start(chm_reactor* r, int fd, uint32_t flags, chm_recv** out) {
    (void)flags;
    return START(inner_reactor(r), fd, (around_receive**)(void*)out);
}
static chm_rc recv_poll(chm_reactor* r, chm_recv* x, chm_waker* w, void* to, uint64_t capacity, chm_received* out) {
    return RECEIVE(inner_reactor(r), (around_receive*)(void*)x, w, to, capacity, out);
}
static void recv_close(chm_reactor* r, chm_recv* x) { CLOSE(inner_reactor(r), (around_receive*)(void*)x); }
static const chm_recv_ops recv_ops = {sizeof recv_ops, 0, recv_start, recv_poll, recv_close};

static const void* receive_extension(chm_reactor* r, const char* id) {
    return strcmp(id, CHM_EXT_RECV) == 0 ? &recv_ops : reactor_extension_inner(r, id);
}
