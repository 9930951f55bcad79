/** @file
 * chimera/abi/reactor.h: readiness of file descriptors and timers: an optional extension of an executor. C99. */
#ifndef CHIMERA_ABI_REACTOR_H
#define CHIMERA_ABI_REACTOR_H

#include "task.h"

CHM_BEGIN

/** chm_executor_vt.get_extension(CHM_EXT_REACTOR) gives a chm_reactor * (the const of get_extension is cast
 * away), owned by the executor, valid until destroy. */
#define CHM_EXT_REACTOR "chimera.reactor/1"

typedef struct chm_reactor chm_reactor;
typedef struct chm_io chm_io;       /**< one registration of a descriptor; from io_register to io_deregister */
typedef struct chm_timer chm_timer; /**< one timer; from timer_create to timer_destroy */

/** Bits of readiness, and of interest in it. */
enum {
    CHM_IO_READ = 1,  /**< there is something to read, or the peer has ended its sending */
    CHM_IO_WRITE = 2, /**< there is room to write */
    CHM_IO_ERR = 4,   /**< the descriptor has failed: the next system call says how; always of interest */
    CHM_IO_HUP = 8    /**< the peer has ended its sending, or is gone; always of interest */
};

/** What a caller knows when it clears readiness. */
enum {
    CHM_IO_DRAINED = 0, /**< the caller saw EAGAIN or a short read: there is nothing left */
    CHM_IO_RECHECK = 1  /**< the caller cannot know: the reactor has to ask the kernel again */
};

/** Flags of a reactor's table. */
enum {
    /** Every function may be called from any thread. Without this flag the reactor is affine: an io or a timer may be used
     * only inside polls on the worker that made it, and CHM_E_AFFINITY (or CHM_IO_ERR) answers everyone else. */
    CHM_REACTOR_ANY_THREAD = 1
};

/** What a reactor can do. Frozen. Wakers are cloned where they are kept; none is woken after io_deregister or timer_destroy
 * has returned, except for one that another thread is waking at that moment.
 *
 * Readiness is sticky and a hint: it stays until cleared, and a caller must cope with EAGAIN. The order that loses nothing and
 * wastes nothing is
 *
 *     seen = io_poll(READ);  if 0 return PENDING
 *     n = recv(fd, buf, cap)
 *     EAGAIN, or n < cap:  io_clear(seen, READ, DRAINED)   -- the second recv that only says EAGAIN is never made
 *
 * A clear names the tick that io_poll returned; if the kernel has reported since, it does nothing. */
typedef struct chm_reactor_vt {
    uint32_t size;  /**< sizeof(chm_reactor_vt) as its owner was compiled */
    uint32_t flags; /**< CHM_REACTOR_* */

    /** Starts watching fd, which must be non-blocking and stays the caller's. One registration per fd at a time.
     * Errors: CHM_E_STATE (fd is registered already), CHM_E_AFFINITY, CHM_E_INVAL (not pollable), CHM_E_NOMEM. */
    chm_rc (*io_register)(chm_reactor *, int fd, chm_io **out) CHM_NX;

    /** 0: pending, waker (cloned if needed) is woken when a bit of interest, ERR or HUP is reported; it replaces the waker of
     * an earlier call, so there is one waiter per io. Otherwise: ready bits in the low 8 bits, the tick in the others.
     * As HUP is of interest and stays, nothing can be awaited once it was reported: try the system call instead. */
    uint32_t (*io_poll)(chm_reactor *, chm_io *, uint32_t interest, chm_waker *waker) CHM_NX;

    /** Forgets readiness `bits` unless something was reported after `seen`. HUP and ERR are never forgotten.
     * how: CHM_IO_DRAINED or CHM_IO_RECHECK. */
    void (*io_clear)(chm_reactor *, chm_io *, uint32_t seen, uint32_t bits, uint32_t how) CHM_NX;

    /** Stops watching and frees io; its waker is dropped, not woken. Must come before close(fd).
     * Rationale: closed first, the number may belong to another connection by the time it is deregistered. */
    void (*io_deregister)(chm_reactor *, chm_io *) CHM_NX;

    /** A timer that is not armed. Errors: CHM_E_AFFINITY, CHM_E_NOMEM. */
    chm_rc (*timer_create)(chm_reactor *, chm_timer **out) CHM_NX;

    /** CHM_READY once CLOCK_MONOTONIC has reached deadline_ns, never early; before that CHM_PENDING, and waker is woken then.
     * The same deadline again only replaces the waker; another one re-arms. A deadline in the past is ready at once.
     * Errors: CHM_E_AFFINITY, CHM_E_NOMEM; nobody is woken then. */
    chm_rc (*timer_poll)(chm_reactor *, chm_timer *, uint64_t deadline_ns, chm_waker *waker) CHM_NX;

    /** Disarms and frees; the waker is dropped, not woken. */
    void (*timer_destroy)(chm_reactor *, chm_timer *) CHM_NX;

    /** An extension of the reactor (CHM_EXT_RECV), or NULL. Any string must be accepted. */
    const void *(*get_extension)(chm_reactor *, const char *id) CHM_NX;
} chm_reactor_vt;

/** Readiness and timers. Ownership: its executor's. */
struct chm_reactor {
    const chm_reactor_vt *vt; /**< never NULL; the same as long as the object lives */
};

CHM_END_DECLS
#endif
