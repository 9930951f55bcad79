/** @file
 * chimera/abi/task.h: a resumable piece of work: what an executor runs. C99. */
#ifndef CHIMERA_ABI_TASK_H
#define CHIMERA_ABI_TASK_H

#include "waker.h"

CHM_BEGIN

typedef struct chm_task chm_task;

/** What a task can do. Frozen: grows only by a new type. */
typedef struct chm_task_vt {
    /** [executor worker] Makes progress. CHM_PENDING: a wake will come (or came already). CHM_READY: done. Negative: failed;
     * the executor treats it as done, and the task itself knows why. Never called by two threads at once, never after it
     * returned anything but CHM_PENDING. A poll for which no wake was given ("spurious") is legal.
     * waker: borrowed for the call; clone it to keep it. It may differ from poll to poll. */
    chm_rc (*poll)(chm_task *, chm_waker *waker) CHM_NX;

    /** [executor worker, where this task may be polled] Exactly once, after the last poll, whether or not the task is done.
     * Destroys the task; results live in the task, so whoever wants them takes them before or in drop. */
    void (*drop)(chm_task *) CHM_NX;
} chm_task_vt;

/** A piece of work that can be resumed. Ownership: the creator's until spawn succeeds, then the executor's until it calls drop.
 */
struct chm_task {
    const chm_task_vt *vt; /**< never NULL; the same as long as the object lives */
};

CHM_END_DECLS
#endif
