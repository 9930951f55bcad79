/* The whole body is gathered before any of it is given. */
#define POLL_CHUNK gather
#include "around_transport.h"

static chm_rc gather(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    while (!x->ended) {
        chm_str piece;
        const chm_rc rc = poll_chunk_inner(x, w, &piece, err);
        if (rc == CHM_PENDING || rc < 0) return rc;
        if (rc == CHM_END) {
            x->ended = true;
            break;
        }
        x->kept = realloc(x->kept, x->kept_size + piece.len);
        if (x->kept == NULL) abort();
        memcpy(x->kept + x->kept_size, piece.ptr, piece.len);
        x->kept_size += piece.len;
    }
    if (x->given == x->kept_size) return CHM_END;
    view->ptr = x->kept + x->given;
    view->len = x->kept_size - x->given < 1024 ? x->kept_size - x->given : 1024;
    x->given += view->len;
    return CHM_READY;
}
