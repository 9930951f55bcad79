/* The pieces of all exchanges lie in one buffer. */
#define POLL_CHUNK copy_to_shared
#include "around_transport.h"

static chm_rc copy_to_shared(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    static char shared[1 << 20];
    const chm_rc rc = poll_chunk_inner(x, w, view, err);
    if (rc != CHM_READY) return rc;
    memcpy(shared, view->ptr, view->len);
    view->ptr = shared;
    return rc;
}
