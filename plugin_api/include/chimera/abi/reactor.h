/** @file
 * chimera/abi/reactor.h: readiness of file descriptors, and timers. Optional extension of an executor. C99.
 *
 * Example: the order that loses no event and makes no needless system call.
 * @code{.c}
 * #include <errno.h>
 * #include <sys/socket.h>
 *
 * static chm_rc receive(chm_reactor *r, chm_io *io, chm_waker *waker, int fd, char *to, size_t size, ssize_t *n) {
 *     uint32_t seen;
 *     while ((seen = r->vt->io_poll(r, io, CHM_IO_READ, waker)) != 0) {
 *         *n = recv(fd, to, size, 0);
 *         if (*n > 0 && (size_t)*n == size) return CHM_READY; // there may be more: it stays readable
 *         r->vt->io_clear(r, io, seen, CHM_IO_READ, CHM_IO_DRAINED); // EAGAIN or a short read: nothing is left
 *         if (*n >= 0) return *n > 0 ? CHM_READY : CHM_END;
 *         if (errno != EAGAIN) return CHM_E_IO;
 *     }
 *     return CHM_PENDING; // the reactor keeps a clone of the waker, and will wake it
 * }
 * @endcode */
#ifndef CHIMERA_ABI_REACTOR_H
#define CHIMERA_ABI_REACTOR_H

#include "task.h"

CHM_BEGIN

/** chm_executor_vt.get_extension(CHM_EXT_REACTOR) returns a chm_reactor *: cast its const away.
 * OWNERSHIP: the executor's; valid until destroy. */
#define CHM_EXT_REACTOR "chimera.reactor/1"

typedef struct chm_reactor chm_reactor;
typedef struct chm_io chm_io;       /**< registration of a descriptor; lives from io_register to io_deregister */
typedef struct chm_timer chm_timer; /**< timer; lives from timer_create to timer_destroy */

/** Bits of readiness, and of interest in it. */
enum {
    CHM_IO_READ = 1,  /**< there is something to read, or the peer has ended its sending */
    CHM_IO_WRITE = 2, /**< there is room to write */
    CHM_IO_ERR = 4,   /**< the descriptor has failed; the next system call tells how. Always reported */
    CHM_IO_HUP = 8    /**< the peer has ended its sending, or is gone. Always reported */
};

/** What the caller of io_clear knows. */
enum {
    CHM_IO_DRAINED = 0, /**< it saw EAGAIN or a short read: nothing is left */
    CHM_IO_RECHECK = 1  /**< it cannot know: the reactor must ask the kernel again */
};

/** Flags of a reactor's table. */
enum {
    /** Every function may be called from any thread. A reactor without this flag is affine. An affine reactor answers
     * CHM_E_AFFINITY (io_poll: CHM_IO_ERR) to a call outside poll and drop, or on a worker that did not make the object. */
    CHM_REACTOR_ANY_THREAD = 1
};

/** Functions of a reactor. Frozen: new behaviour comes as an extension.
 *
 * Readiness is sticky: it stays until it is cleared. Readiness is a hint: the system call may still say EAGAIN. io_clear
 * names the tick that io_poll returned, and does nothing if the kernel has reported since.
 *
 * A reactor clones the wakers that it keeps. After io_deregister or timer_destroy it wakes none, except a waker that another
 * thread is waking at that moment. */
typedef struct chm_reactor_vt {
    uint32_t size;  /**< sizeof(chm_reactor_vt) when the reactor was compiled */
    uint32_t flags; /**< CHM_REACTOR_* */

    /** [reactor-thread] Starts to watch fd. Its descriptor must be non-blocking. One registration for each fd at a time.
     * Errors: CHM_E_STATE (fd is registered), CHM_E_AFFINITY, CHM_E_INVAL (cannot be polled), CHM_E_NOMEM.
     * OWNERSHIP: fd stays the caller's. *out is the caller's until io_deregister. */
    chm_rc (*io_register)(chm_reactor *, int fd, chm_io **out) CHM_NX;

    /** [reactor-thread] 0: pending; the waker is woken when a bit of interest, ERR or HUP is reported. It replaces the waker
     * of an earlier poll: an io has one waiter. Not 0: readiness in the low 8 bits, the tick in the others.
     * HUP stays. After it was reported nothing can be awaited any more: try the system call. */
    uint32_t (*io_poll)(chm_reactor *, chm_io *, uint32_t interest, chm_waker *waker) CHM_NX;

    /** [reactor-thread] Forgets the readiness `bits`, unless something was reported after `seen`. Never forgets HUP and ERR.
     * how: CHM_IO_DRAINED or CHM_IO_RECHECK. */
    void (*io_clear)(chm_reactor *, chm_io *, uint32_t seen, uint32_t bits, uint32_t how) CHM_NX;

    /** [reactor-thread] Stops watching and frees the io. Drops its waker without waking it. Call it before close(fd).
     * Rationale: after close(fd) another connection may get the same number, and lose its registration. */
    void (*io_deregister)(chm_reactor *, chm_io *) CHM_NX;

    /** [reactor-thread] Makes a timer that is not armed. Errors: CHM_E_AFFINITY, CHM_E_NOMEM.
     * OWNERSHIP: *out is the caller's until timer_destroy. */
    chm_rc (*timer_create)(chm_reactor *, chm_timer **out) CHM_NX;

    /** [reactor-thread] CHM_READY: CLOCK_MONOTONIC has reached deadline_ns; never early. CHM_PENDING: the waker will be woken
     * then. The same deadline again replaces the waker. Another deadline arms the timer again. A deadline in the past is
     * ready at once. ZERO TRAP: CHM_OK means CHM_PENDING here (see chm_rc).
     * Errors: CHM_E_AFFINITY, CHM_E_NOMEM; no waker is kept then. */
    chm_rc (*timer_poll)(chm_reactor *, chm_timer *, uint64_t deadline_ns, chm_waker *waker) CHM_NX;

    /** [reactor-thread] Disarms and frees the timer. Drops its waker without waking it. */
    void (*timer_destroy)(chm_reactor *, chm_timer *) CHM_NX;

    /** [any-thread] Returns an extension of the reactor (CHM_EXT_RECV), or NULL. Accepts any string. */
    const void *(*get_extension)(chm_reactor *, const char *id) CHM_NX;
} chm_reactor_vt;

/** Readiness and timers. OWNERSHIP: its executor's. */
struct chm_reactor {
    const chm_reactor_vt *vt; /**< never NULL, never changed */
};

CHM_END_DECLS
#endif
