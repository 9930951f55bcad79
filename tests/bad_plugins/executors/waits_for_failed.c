/* A task that fails is kept, as if it waited. */
#define POLL hide_failure
#include "around_executor.h"

static chm_rc hide_failure(around_task* t) {
    const chm_rc rc = poll_inner(t);
    return rc < 0 ? CHM_PENDING : rc;
}
