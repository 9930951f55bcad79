/** @file
 * chimera/abi/recv.h: receive by completion, as io_uring does it. Optional extension of a reactor. C99.
 *
 * Example: wait without a buffer, and take the bytes when they are there.
 * @code{.c}
 * static chm_rc take(chm_reactor *r, const chm_recv_ops *ops, chm_recv *from, chm_waker *waker, char to[4096], size_t *n) {
 *     chm_received got = {.size = sizeof got};
 *     chm_rc rc = ops->poll(r, from, waker, NULL, 0, &got);                   // takes nothing
 *     if (rc == CHM_READY) rc = ops->poll(r, from, waker, to, 4096, &got);    // bytes, the end, or an error
 *     *n = rc == CHM_READY ? got.count : 0;
 *     return rc;
 * }
 * @endcode */
#ifndef CHIMERA_ABI_RECV_H
#define CHIMERA_ABI_RECV_H

#include "reactor.h"

CHM_BEGIN

/** chm_reactor_vt.get_extension(CHM_EXT_RECV) returns a const chm_recv_ops *. */
#define CHM_EXT_RECV "chimera.reactor.recv/1"

typedef struct chm_recv chm_recv; /**< a socket that the reactor reads ahead; lives from start to close */

/** Flags of a receive. */
enum {
    CHM_RECV_STAMPS = 1 /**< report the kernel's receive times. The owner of fd has switched them on (SO_TIMESTAMPING) */
};

/** What a poll received. */
typedef struct chm_received {
    uint32_t size;      /**< sizeof(chm_received) when the caller was compiled. The caller sets it before the poll */
    int32_t os_error;   /**< errno behind a negative result; 0: none */
    uint64_t count;     /**< number of bytes written to the caller's memory */
    uint64_t kernel_ns; /**< CLOCK_REALTIME at which the kernel received the last of them; 0: not known */
} chm_received;

/** How a reactor reads stream sockets ahead of their readers. The kernel fills buffers of the reactor, and poll copies the
 * bytes to the caller. A connection on which nothing arrives needs no buffer.
 * Rationale: the kernel may write to a buffer until the completion is delivered, even after a cancel. Only the owner of the
 * ring can keep the buffer alive so long. And no buffer is lent to a caller, so a slow caller takes none from the others. */
typedef struct chm_recv_ops {
    uint32_t size;  /**< sizeof(chm_recv_ops) when the reactor was compiled */
    uint32_t flags; /**< zero */
    /** [reactor-thread] Begins to receive on fd, which must be non-blocking. flags: CHM_RECV_*. Until close nobody else may
     * read fd; io_register may be used beside it only to wait for CHM_IO_WRITE.
     * Errors: CHM_E_STATE (fd has a receive already), CHM_E_AFFINITY, CHM_E_INVAL (not a socket), CHM_E_NOMEM.
     * OWNERSHIP: fd stays the caller's. *out is the caller's until close. */
    chm_rc (*start)(chm_reactor *, int fd, uint32_t flags, chm_recv **out) CHM_NX;
    /** [reactor-thread] CHM_READY: the next 1 to `capacity` bytes of the stream are at `to`. With capacity 0: there are
     * bytes, an end or an error to poll for; nothing is taken. CHM_END: the peer has closed. Negative: the receive failed,
     * and os_error says why. An end and an error come after all bytes, and stay.
     * CHM_PENDING: the waker will be woken. It replaces the waker of an earlier poll. With a NULL waker the poll only looks,
     * and the earlier waker stays. ZERO TRAP: CHM_OK means CHM_PENDING here (see chm_rc).
     * The reactor reads a bounded number of bytes ahead; then the peer has to wait. */
    chm_rc (*poll)(chm_reactor *, chm_recv *, chm_waker *waker, void *to, uint64_t capacity, chm_received *out) CHM_NX;
    /** [reactor-thread] Cancels and frees the receive. Drops its waker without waking it. Call it before close(fd). Bytes
     * that were received and not polled are lost, so the connection cannot be used any more. */
    void (*close)(chm_reactor *, chm_recv *) CHM_NX;
} chm_recv_ops;

CHM_END_DECLS
#endif
