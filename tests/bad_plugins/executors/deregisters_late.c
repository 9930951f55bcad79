/* A registration ends only after the next one has begun, which may have got its descriptor's number. */
#define IO_REGISTER register_first
#define IO_DEREGISTER deregister_later
#include "around_executor.h"

static chm_io* late;

static chm_rc register_first(chm_reactor* r, int fd, chm_io** out) {
    const chm_rc rc = io_register_inner(r, fd, out);
    if (late != NULL) io_deregister_inner(r, late);
    late = NULL;
    return rc;
}
static void deregister_later(chm_reactor* r, chm_io* io) {
    if (late != NULL) io_deregister_inner(r, late);
    late = io;
}
