/* Only the waker of the first poll is woken. */
#define RECEIVE receive_with_first
#include "around_receive.h"

static chm_rc receive_with_first(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity,
                                 chm_received* out) {
    return receive_inner(r, x, x->polls++ > 0 ? NULL : w, to, capacity, out);
}
