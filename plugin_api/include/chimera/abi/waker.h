/** @file
 * chimera/abi/waker.h: a handle by which anyone tells an executor to poll one task again. C99. */
#ifndef CHIMERA_ABI_WAKER_H
#define CHIMERA_ABI_WAKER_H

#include "base.h"

CHM_BEGIN

typedef struct chm_waker chm_waker;

/** What a waker can do. All functions: [any thread], never failing, never blocking, valid after the task is done and after its
 * executor is destroyed (a waker is reference counted).
 *
 * A wake while the task is being polled means exactly one more poll. N wakes before a poll may become one poll, never
 * none. Nobody polls inside wake, and nobody may hold a lock while waking.
 *
 * Rationale: a wake that finds the task already woken must still be an atomic read-modify-write. A plain load there lets
 * the writes before the wake go unseen by the poll that is about to run, a lost wake-up that no test will find.
 *
 * Frozen: grows only by a new type. */
typedef struct chm_waker_vt {
    chm_waker *(*clone)(chm_waker *) CHM_NX;  /**< a reference of its own; may be another pointer than the argument */
    void (*wake)(chm_waker *) CHM_NX;        /**< wakes and consumes the reference */
    void (*wake_by_ref)(chm_waker *) CHM_NX; /**< wakes and keeps it */
    void (*drop)(chm_waker *) CHM_NX;        /**< gives the reference back without waking */
} chm_waker_vt;

/** One word. Two wakers with the same pointer wake the same task. Ownership: reference counted; who clones, drops or wakes. */
struct chm_waker {
    const chm_waker_vt *vt; /**< never NULL; the same as long as the object lives */
};

CHM_END_DECLS
#endif
