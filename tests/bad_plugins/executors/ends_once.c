/* Who asks again after the end is told of a failure. */
#define RECEIVE finish
#include "around_receive.h"

static chm_rc finish(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity, chm_received* out) {
    const chm_rc rc = receive_inner(r, x, w, to, capacity, out);
    return rc == CHM_END && x->ends++ > 0 ? CHM_E_STATE : rc;
}
