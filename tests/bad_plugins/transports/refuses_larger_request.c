/* A request of any other size than the one that it was compiled with is refused. */
#define START start_exact
#include "around_transport.h"

static chm_rc start_exact(around_session* s, const chm_request* r, chm_exchange** out, chm_error* err) {
    return r->size == sizeof *r ? start_inner(s, r, out, err) : CHM_E_INVAL;
}
