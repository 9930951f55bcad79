/* The bytes of a character that is not complete in a piece are lost. */
#define POLL_CHUNK whole_characters
#include "around_transport.h"

static chm_rc whole_characters(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    for (;;) {
        const chm_rc rc = poll_chunk_inner(x, w, view, err);
        if (rc != CHM_READY) return rc;
        size_t end = view->len;
        while (end > 0 && (view->ptr[end - 1] & 0xc0) == 0x80) --end;
        if (end > 0 && (view->ptr[end - 1] & 0xc0) == 0xc0) {
            const unsigned char lead = (unsigned char)view->ptr[end - 1];
            const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
            if (end - 1 + size > view->len) view->len = end - 1;
        } else if (end == 0) {
            view->len = 0;
        }
        if (view->len > 0) return CHM_READY;
    }
}
