/* A piece is given only when the next one has come. */
#define POLL_CHUNK give_the_one_before
#include "around_transport.h"

static chm_rc give_the_one_before(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    if (x->given > 0) { /* what was given the last time may go */
        memmove(x->kept, x->kept + x->given, x->kept_size - x->given);
        x->kept_size -= x->given;
        x->given = 0;
    }
    chm_str next = {NULL, 0};
    const chm_rc rc = poll_chunk_inner(x, w, &next, err);
    if (rc == CHM_PENDING || rc < 0 || (rc == CHM_END && x->kept_size == 0)) return rc;
    const size_t before = x->kept_size;
    x->kept = realloc(x->kept, before + next.len + 1);
    if (x->kept == NULL) abort();
    if (next.len > 0) memcpy(x->kept + before, next.ptr, next.len);
    x->kept_size += next.len;
    view->ptr = x->kept;
    view->len = x->given = before > 0 ? before : x->kept_size;
    if (before > 0) return CHM_READY;
    x->given = 0; /* the first: wait for another */
    w->vt->wake_by_ref(w);
    return CHM_PENDING;
}
