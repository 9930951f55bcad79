/* Every tenth poll of a descriptor that is not ready leaves no waker. */
#define IO_POLL poll_and_forget
#include "own_readiness.h"

static uint32_t poll_and_forget(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    static atomic_uint polls;
    if (ready((watched*)io, interest) == 0 && atomic_fetch_add(&polls, 1) % 10 == 9) return 0;
    return own_poll(r, io, interest, w);
}
