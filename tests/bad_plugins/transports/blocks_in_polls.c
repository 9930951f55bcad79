/* A poll waits until there is something to read. */
#define IO_POLL wait_for_bytes
#include "around_reactor.h"

#include <poll.h>

static uint32_t wait_for_bytes(chm_reactor* r, around_io* io, uint32_t interest, chm_waker* w) {
    const uint32_t seen = io_poll_inner(r, io, interest, w);
    struct pollfd p = {io->fd, POLLIN, 0};
    if (seen == 0 && interest == CHM_IO_READ) poll(&p, 1, 10000);
    return seen;
}
