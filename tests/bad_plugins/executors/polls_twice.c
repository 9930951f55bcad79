/* One wake means two polls. */
#define POLL poll_twice
#include "around_executor.h"

static chm_rc poll_twice(around_task* t) {
    const chm_rc rc = poll_inner(t);
    return rc == CHM_PENDING ? poll_inner(t) : rc;
}
