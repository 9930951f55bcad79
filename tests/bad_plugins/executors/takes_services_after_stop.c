/* A service that comes after stop is taken and dropped, instead of left with the caller. */
#define SPAWN_SERVICE drop_refused
#include "around_executor.h"

static chm_rc drop_refused(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    const chm_rc rc = spawn_service_inner(e, task, opts);
    if (rc == CHM_E_CANCELED) task->vt->drop(task);
    return rc == CHM_E_CANCELED ? CHM_OK : rc;
}
