/* All of a chm_received is cleared before it is filled, also members that are not known. */
#define RECEIVE clear
#include "around_receive.h"

static chm_rc clear(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity, chm_received* out) {
    memset((char*)out + sizeof out->size, 0, out->size - sizeof out->size);
    return receive_inner(r, x, w, to, capacity, out);
}
