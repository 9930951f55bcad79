/* The last byte of a piece is lost. */
#define POLL_CHUNK cut
#include "around_transport.h"

static chm_rc cut(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    const chm_rc rc = poll_chunk_inner(x, w, view, err);
    if (rc == CHM_READY && view->len > 1) --view->len;
    return rc;
}
