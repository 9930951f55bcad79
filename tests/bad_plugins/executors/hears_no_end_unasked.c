/* That the peer has gone is told to those who wait for something else. */
#define IO_POLL poll_what_is_asked
#include "around_executor.h"

static uint32_t poll_what_is_asked(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    const uint32_t seen = io_poll_inner(r, io, interest, w);
    return interest == 0 ? 0 : seen;
}
