/* Whatever fails is CHM_E_FAIL. */
#define POLL_HEAD fail_head
#define POLL_CHUNK fail_chunk
#include "around_transport.h"

static chm_rc fail_head(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    const chm_rc rc = poll_head_inner(x, w, head, err);
    return rc < 0 ? CHM_E_FAIL : rc;
}
static chm_rc fail_chunk(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    const chm_rc rc = poll_chunk_inner(x, w, view, err);
    return rc < 0 ? CHM_E_FAIL : rc;
}
