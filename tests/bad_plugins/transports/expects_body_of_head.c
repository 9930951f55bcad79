/* It waits for the body that the response to a HEAD request speaks of. */
#define START start_as_get
#include "around_transport.h"

static chm_rc start_as_get(around_session* s, const chm_request* r, chm_exchange** out, chm_error* err) {
    chm_request same = *r;
    same.size = sizeof same;
    if (r->method.len == 4) same.method = (chm_str){"GET", 3};
    return start_inner(s, &same, out, err);
}
