/** @file
 * chimera/abi/recv.h: completion-based receive: an optional extension of a reactor (io_uring). C99. */
#ifndef CHIMERA_ABI_RECV_H
#define CHIMERA_ABI_RECV_H

#include "reactor.h"

CHM_BEGIN

/** chm_reactor_vt.get_extension(CHM_EXT_RECV) gives a const chm_recv_ops *. */
#define CHM_EXT_RECV "chimera.reactor.recv/1"

typedef struct chm_recv chm_recv; /**< one receive; from start to close */

/** What a reactor with receives can do. Thread rules are the reactor's. Buffers are the reactor's, so that no memory waits
 * under an idle connection. Rationale: a buffer belongs to its operation until the completion is delivered, even after a
 * cancel; only the owner of the ring can keep that promise. */
typedef struct chm_recv_ops {
    uint32_t size;  /**< sizeof(chm_recv_ops) as its owner was compiled */
    uint32_t flags; /**< zero */
    /** Begins receiving on fd, which stays the caller's and must not be registered with io_register at the same time. */
    chm_rc (*start)(chm_reactor *, int fd, chm_recv **out) CHM_NX;
    /** CHM_READY: received bytes in *view, valid until the next poll or close. CHM_END: the peer closed. CHM_PENDING: waker
     * will be woken. Negative: the receive failed. */
    chm_rc (*poll)(chm_reactor *, chm_recv *, chm_waker *waker, chm_str *view) CHM_NX;
    /** Cancels and frees. Must come before close(fd). */
    void (*close)(chm_reactor *, chm_recv *) CHM_NX;
} chm_recv_ops;

CHM_END_DECLS
#endif
