/** @file
 * chimera/abi/waker.h: a handle that tells an executor to poll one task again. C99.
 *
 * Example: an event with one waiter. The waiter leaves a clone of its waker; the event wakes it.
 * @code{.c}
 * struct event { chm_waker *waiter; };
 *
 * static void leave_waker(struct event *e, chm_waker *waker) {
 *     if (e->waiter) e->waiter->vt->drop(e->waiter);
 *     e->waiter = waker->vt->clone(waker); // the waker of a poll is borrowed: clone it to keep it
 * }
 * static void happen(struct event *e) {
 *     chm_waker *waiter = e->waiter;
 *     e->waiter = NULL;
 *     if (waiter) waiter->vt->wake(waiter); // uses up the reference
 * }
 * @endcode */
#ifndef CHIMERA_ABI_WAKER_H
#define CHIMERA_ABI_WAKER_H

#include "base.h"

CHM_BEGIN

typedef struct chm_waker chm_waker;

/** Functions of a waker. None of them fails or blocks. All work as long as the caller has a reference: also after the task
 * is done and after the executor is destroyed. Frozen: new behaviour comes as a new type.
 *
 * - A wake is never lost: after it the task is polled at least once more. Several wakes may share one poll.
 * - A wake during a poll of the task causes exactly one more poll.
 * - wake never polls. Call it without holding a lock.
 *
 * Rationale: a wake of a task that is already woken must still be an atomic read-modify-write. A plain load would not order
 * the writes before the wake with the poll that is about to run. No test finds a wake-up that is lost in this way. */
typedef struct chm_waker_vt {
    /** [any-thread] Returns one more reference. It may be another pointer than the argument. */
    chm_waker *(*clone)(chm_waker *) CHM_NX;
    /** [any-thread] Wakes the task and uses up the reference. */
    void (*wake)(chm_waker *) CHM_NX;
    /** [any-thread] Wakes the task and keeps the reference. */
    void (*wake_by_ref)(chm_waker *) CHM_NX;
    /** [any-thread] Gives the reference back without waking. */
    void (*drop)(chm_waker *) CHM_NX;
} chm_waker_vt;

/** One pointer. Two wakers with the same pointer wake the same task.
 * OWNERSHIP: reference counted. clone adds a reference; wake and drop use one up. */
struct chm_waker {
    const chm_waker_vt *vt; /**< never NULL, never changed */
};

CHM_END_DECLS
#endif
