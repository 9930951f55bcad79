/* The headers of a request are not sent. */
#define START start_bare
#include "around_transport.h"

static chm_rc start_bare(around_session* s, const chm_request* r, chm_exchange** out, chm_error* err) {
    chm_request bare = *r;
    bare.n_headers = 0;
    return start_inner(s, &bare, out, err);
}
