/* A head that is there is CHM_OK, which a poll means as CHM_PENDING. */
#define POLL_HEAD poll_until_ok
#include "around_transport.h"

static chm_rc poll_until_ok(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    const chm_rc rc = poll_head_inner(x, w, head, err);
    return rc == CHM_READY ? CHM_OK : rc;
}
