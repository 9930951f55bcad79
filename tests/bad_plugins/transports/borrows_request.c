/* The body of a request is not copied: it is looked at when the response is waited for. */
#define START start_later
#define POLL_HEAD start_now
#define CLOSE close_started
#include "around_transport.h"

/* What start was given, kept by reference. */
static chm_request borrowed;

static chm_rc start_later(around_session* s, const chm_request* r, chm_exchange** out, chm_error* err) {
    (void)s, (void)err;
    borrowed = *r;
    *out = NULL;
    return CHM_OK;
}
static chm_rc start_now(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    if (x->inner == NULL) {
        chm_request r = borrowed;
        r.n_headers = 0;
        const chm_rc rc = start_inner(x->session, &r, &x->inner, err);
        if (rc < 0) return rc;
    }
    return poll_head_inner(x, w, head, err);
}
static void close_started(around_exchange* x) {
    if (x->inner != NULL) close_inner(x);
}
