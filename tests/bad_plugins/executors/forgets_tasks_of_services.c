/* Run until idle does not wait for what a service has spawned. */
#define POLL remember
#define SPAWN spawn_as_its_parent
#include "around_executor.h"

static _Thread_local const around_task* polled;

static chm_rc remember(around_task* t) {
    polled = t;
    const chm_rc rc = poll_inner(t);
    polled = NULL;
    return rc;
}
static chm_rc spawn_as_its_parent(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    return polled && polled->service ? spawn_service_inner(e, task, opts) : spawn_inner(e, task, opts);
}
