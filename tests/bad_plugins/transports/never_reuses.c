/* Every exchange gets a connection of its own. */
#define START open_again
#include "around_transport.h"

static chm_rc open_again(around_session* s, const chm_request* r, chm_exchange** out, chm_error* err) {
    if (s->exchanges > 0) {
        close_session_inner(s);
        const chm_rc rc = open_inner(s, err);
        if (rc < 0) return rc;
    }
    return start_inner(s, r, out, err);
}
