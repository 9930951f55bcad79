/* The first two bytes of what was received change places. */
#define RECEIVE swap
#include "around_receive.h"

static chm_rc swap(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity, chm_received* out) {
    const chm_rc rc = receive_inner(r, x, w, to, capacity, out);
    char* bytes = to;
    if (rc == CHM_READY && out->count > 1) {
        const char first = bytes[0];
        bytes[0] = bytes[1];
        bytes[1] = first;
    }
    return rc;
}
