/* A reset is reported as a close. */
#define POLL_HEAD confuse_head
#define POLL_CHUNK confuse_chunk
#include "around_transport.h"

static chm_rc confuse_head(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    const chm_rc rc = poll_head_inner(x, w, head, err);
    return rc == CHM_E_IO ? CHM_E_CLOSED : rc;
}
static chm_rc confuse_chunk(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    const chm_rc rc = poll_chunk_inner(x, w, view, err);
    return rc == CHM_E_IO ? CHM_E_CLOSED : rc;
}
