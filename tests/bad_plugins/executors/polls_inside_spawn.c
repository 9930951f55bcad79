/* A task is polled by spawn, before run. */
#define SPAWN poll_first
#include "around_executor.h"

static chm_waker* nothing_clone(chm_waker* w) { return w; }
static void nothing(chm_waker* w) { (void)w; }

static chm_rc poll_first(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    static const chm_waker_vt table = {nothing_clone, nothing, nothing, nothing};
    static chm_waker nobody = {&table};
    const chm_rc rc = spawn_inner(e, task, opts);
    if (rc == CHM_OK && !atomic_load(&e->running)) task->vt->poll(task, &nobody);
    return rc;
}
