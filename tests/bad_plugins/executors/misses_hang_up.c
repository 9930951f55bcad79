/* That the peer has gone is not reported. */
#define IO_POLL poll_without_end
#include "around_executor.h"

static uint32_t poll_without_end(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    const uint32_t seen = io_poll_inner(r, io, interest, w);
    return seen & CHM_IO_HUP ? 0 : seen;
}
