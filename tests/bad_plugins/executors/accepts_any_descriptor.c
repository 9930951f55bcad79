/* What cannot be polled is accepted, and reported as the number of something else. */
#define IO_REGISTER register_any
#include "around_executor.h"

static chm_rc register_any(chm_reactor* r, int fd, chm_io** out) {
    const chm_rc rc = io_register_inner(r, fd, out);
    if (rc != CHM_E_INVAL) return rc;
    int ends[2];
    if (pipe(ends) < 0) return rc;
    return io_register_inner(r, ends[0], out);
}
