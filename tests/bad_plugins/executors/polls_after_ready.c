/* A task that is done is polled once more. */
#define POLL poll_once_more
#include "around_executor.h"

static chm_rc poll_once_more(around_task* t) {
    const chm_rc rc = poll_inner(t);
    if (rc == CHM_READY) poll_inner(t);
    return rc;
}
