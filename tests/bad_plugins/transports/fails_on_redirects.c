/* A redirection is reported as an error, because it was not followed. */
#define POLL_HEAD refuse_redirect
#include "around_transport.h"

static chm_rc refuse_redirect(around_exchange* x, chm_waker* w, chm_head* head, chm_error* err) {
    const chm_rc rc = poll_head_inner(x, w, head, err);
    return rc == CHM_READY && head->status / 100 == 3 ? CHM_E_PROTO : rc;
}
