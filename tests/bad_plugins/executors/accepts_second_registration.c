/* A descriptor that is registered already is accepted. */
#define IO_REGISTER register_again
#include "around_executor.h"

static chm_rc register_again(chm_reactor* r, int fd, chm_io** out) {
    const chm_rc rc = io_register_inner(r, fd, out);
    return rc == CHM_E_STATE ? io_register_inner(r, dup(fd), out) : rc;
}
