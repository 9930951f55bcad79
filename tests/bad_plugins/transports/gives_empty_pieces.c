/* A body begins with a piece of no bytes. */
#define POLL_CHUNK give_nothing_first
#include "around_transport.h"

static chm_rc give_nothing_first(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    if (x->given++ > 0) return poll_chunk_inner(x, w, view, err);
    view->ptr = "";
    view->len = 0;
    return CHM_READY;
}
