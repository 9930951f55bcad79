/** @file
 * chimera/abi/task.h: a piece of work that an executor polls until it is done. C99.
 *
 * Example: a task that is polled until it has counted down.
 * @code{.c}
 * #include <stdlib.h>
 *
 * struct countdown { chm_task task; int left; }; // the task is first, so a chm_task * is a struct countdown *
 *
 * static chm_rc countdown_poll(chm_task *t, chm_waker *waker) {
 *     if (((struct countdown *)t)->left-- == 0) return CHM_READY; // done. CHM_OK would mean "pending"
 *     waker->vt->wake_by_ref(waker);                              // poll this task again
 *     return CHM_PENDING;
 * }
 * static void countdown_drop(chm_task *t) { free(t); }
 * static const chm_task_vt countdown_vt = {countdown_poll, countdown_drop};
 * @endcode */
#ifndef CHIMERA_ABI_TASK_H
#define CHIMERA_ABI_TASK_H

#include "waker.h"

CHM_BEGIN

typedef struct chm_task chm_task;

/** Functions of a task. Frozen: new behaviour comes as a new type. */
typedef struct chm_task_vt {
    /** [worker & running & !done] Makes progress, and never blocks. Two polls of one task never overlap. A poll without a
     * wake before it is legal.
     * CHM_PENDING: a wake will come, or came already. CHM_READY: done. Negative: failed; to the executor this is "done",
     * and the task itself keeps the reason. ZERO TRAP: CHM_OK means CHM_PENDING here (see chm_rc).
     * OWNERSHIP: the waker is borrowed for the call. Clone it to keep it. It may differ from poll to poll. */
    chm_rc (*poll)(chm_task *, chm_waker *waker) CHM_NX;

    /** [worker & once] Destroys the task, done or not, after its last poll. Results live in the task: take them before or
     * inside drop. The executor also drops tasks that never ran, in its destroy. If spawn fails, the creator calls drop, on
     * its own thread. */
    void (*drop)(chm_task *) CHM_NX;
} chm_task_vt;

/** A piece of work that can be resumed. OWNERSHIP: the creator's. After a successful spawn: the executor's, who drops it. */
struct chm_task {
    const chm_task_vt *vt; /**< never NULL, never changed */
};

CHM_END_DECLS
#endif
