/* A task that spawn refuses is dropped, though it is still the caller's. */
#define SPAWN spawn_or_drop
#include "around_executor.h"

static chm_rc spawn_or_drop(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    const chm_rc rc = spawn_inner(e, task, opts);
    if (rc < 0) task->vt->drop(task);
    return rc;
}
