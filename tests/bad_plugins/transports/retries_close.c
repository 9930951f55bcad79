/* An answer that breaks off in its head is asked for again, once, whatever has come of it. */
#define POLL_HEAD retry
#include "around_transport.h"

static chm_rc retry(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    static const chm_request again = {.size = sizeof again, .method = {"GET", 3}, .path = {"/", 1}};
    const chm_rc rc = poll_head_inner(x, w, head, err);
    if (rc != CHM_E_CLOSED || x->given++ > 0) return rc;
    close_inner(x);
    close_session_inner(x->session);
    if (open_inner(x->session, err) < 0 || start_inner(x->session, &again, &x->inner, err) < 0) abort();
    return poll_head_inner(x, w, head, err);
}
