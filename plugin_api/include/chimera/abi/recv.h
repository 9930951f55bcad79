/** @file
 * chimera/abi/recv.h: completion-based receive: an optional extension of a reactor (io_uring). C99. */
#ifndef CHIMERA_ABI_RECV_H
#define CHIMERA_ABI_RECV_H

#include "reactor.h"

CHM_BEGIN

/** chm_reactor_vt.get_extension(CHM_EXT_RECV) gives a const chm_recv_ops *. */
#define CHM_EXT_RECV "chimera.reactor.recv/1"

typedef struct chm_recv chm_recv; /**< one socket that is read ahead; from start to close */

/** Flags of a receive. */
enum {
    CHM_RECV_STAMPS = 1 /**< report the kernel's receive times, which fd's owner has switched on (SO_TIMESTAMPING) */
};

/** What a poll received. The caller sets size, to at least what this revision has. */
typedef struct chm_received {
    uint32_t size;      /**< sizeof(chm_received) as the caller was compiled */
    int32_t os_error;   /**< errno behind a negative answer; 0: none */
    uint64_t count;     /**< bytes that were written to the caller's memory */
    uint64_t kernel_ns; /**< CLOCK_REALTIME at which the kernel had the last of them; 0: it does not say */
} chm_received;

/** How a reactor reads stream sockets ahead of their readers. Thread rules are the reactor's. While nothing has arrived no
 * memory waits: the kernel puts what it receives into buffers of the reactor, and poll moves it to the caller.
 * Rationale: a buffer is the operation's until its completion is delivered, even after a cancel. Only the owner of the ring
 * can keep that promise; and as nothing is lent to callers, a slow one cannot keep buffers from the others. */
typedef struct chm_recv_ops {
    uint32_t size;  /**< sizeof(chm_recv_ops) as its owner was compiled */
    uint32_t flags; /**< zero */
    /** Begins to receive on fd, which is non-blocking and stays the caller's. From here to close nobody else reads it, and
     * io_register may be used beside it only to wait for CHM_IO_WRITE. flags: CHM_RECV_*.
     * Errors: CHM_E_STATE (fd has one already), CHM_E_AFFINITY, CHM_E_INVAL (not a socket), CHM_E_NOMEM. */
    chm_rc (*start)(chm_reactor *, int fd, uint32_t flags, chm_recv **out) CHM_NX;
    /** CHM_READY: 1 to capacity bytes, the next ones of the stream, are at `to`. With capacity 0: there is something to
     * tell, which may also be an end or an error; nothing is taken. CHM_END: the peer has closed; stays so. CHM_PENDING:
     * waker (cloned if needed) will be woken; it replaces that of an earlier poll. NULL: only looks, and leaves the earlier
     * one. Negative: the receive failed, os_error says why; stays so. Bytes that came before an end or an error come first.
     * The reactor reads ahead a bounded number of bytes; then the peer has to wait. */
    chm_rc (*poll)(chm_reactor *, chm_recv *, chm_waker *waker, void *to, uint64_t capacity, chm_received *out) CHM_NX;
    /** Cancels and frees; the waker is dropped, not woken. Must come before close(fd). Bytes that were received and not
     * polled are lost: the connection is of no use any more. */
    void (*close)(chm_reactor *, chm_recv *) CHM_NX;
} chm_recv_ops;

CHM_END_DECLS
#endif
