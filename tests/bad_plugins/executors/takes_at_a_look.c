/* A poll without capacity takes a byte. */
#define RECEIVE take
#include "around_receive.h"

static chm_rc take(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity, chm_received* out) {
    char lost;
    return receive_inner(r, x, w, capacity > 0 ? to : &lost, capacity > 0 ? capacity : 1, out);
}
