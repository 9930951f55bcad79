/* A timer that is due is CHM_OK, which a poll means as CHM_PENDING. */
#define TIMER_POLL poll_until_ok
#include "around_executor.h"

static chm_rc poll_until_ok(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    const chm_rc rc = timer_poll_inner(r, t, deadline_ns, w);
    return rc == CHM_READY ? CHM_OK : rc;
}
