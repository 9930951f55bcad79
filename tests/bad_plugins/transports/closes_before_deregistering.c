/* A connection is closed first, and deregistered then. */
#define DEREGISTER close_first
#include "around_reactor.h"

#include <fcntl.h>

static void close_first(chm_reactor* r, around_io* io) {
    const int copy = fcntl(io->fd, F_DUPFD_CLOEXEC, 1000); /* what is inside closes it a second time */
    close(io->fd);
    deregister_inner(r, io);
    dup2(copy, io->fd);
    close(copy);
}
