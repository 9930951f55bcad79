/* The end of a body is CHM_OK, which a poll means as CHM_PENDING. */
#define POLL_CHUNK poll_until_ok
#include "around_transport.h"

static chm_rc poll_until_ok(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    const chm_rc rc = poll_chunk_inner(x, w, view, err);
    return rc == CHM_END ? CHM_OK : rc;
}
