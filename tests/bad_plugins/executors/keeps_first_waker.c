/* A later poll does not replace the waker of an earlier one. */
#define IO_POLL poll_with_first
#include "around_executor.h"

static uint32_t poll_with_first(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    static chm_io* waiting;
    const uint32_t seen = waiting == io ? 0 : io_poll_inner(r, io, interest, w);
    waiting = seen ? NULL : io;
    return seen;
}
