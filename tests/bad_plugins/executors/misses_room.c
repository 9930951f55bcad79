/* Room to write is not reported. */
#define IO_POLL poll_readable
#include "around_executor.h"

static uint32_t poll_readable(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    return io_poll_inner(r, io, interest & ~(uint32_t)CHM_IO_WRITE, w) & ~(uint32_t)CHM_IO_WRITE;
}
