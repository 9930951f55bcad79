/* A socket that is received from cannot be registered. */
#define IO_REGISTER register_alone
#include "around_receive.h"

static chm_rc register_alone(chm_reactor* r, int fd, chm_io** out) {
    return atomic_load(&receiving[fd]) ? CHM_E_STATE : io_register_inner(r, fd, out);
}
