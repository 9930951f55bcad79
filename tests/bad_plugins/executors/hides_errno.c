/* A failure does not say which errno it was. */
#define RECEIVE hide
#include "around_receive.h"

static chm_rc hide(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity, chm_received* out) {
    const chm_rc rc = receive_inner(r, x, w, to, capacity, out);
    out->os_error = 0;
    return rc;
}
