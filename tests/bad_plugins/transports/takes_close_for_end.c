/* A connection that closes too early is taken for the end of the body. */
#define POLL_CHUNK end_at_close
#include "around_transport.h"

static chm_rc end_at_close(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    const chm_rc rc = poll_chunk_inner(x, w, view, err);
    return rc == CHM_E_CLOSED ? CHM_END : rc;
}
