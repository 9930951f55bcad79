/* A task that is done answers CHM_OK, which a poll means as CHM_PENDING: the executor waits for it without end. */
#define OPEN open_with_task
#include "around_transport.h"

static chm_rc poll_until_ok(chm_task* t, chm_waker* w) { return (void)t, (void)w, CHM_OK; }
static void drop_nothing(chm_task* t) { (void)t; }
static const chm_task_vt task_table = {poll_until_ok, drop_nothing};
static chm_task task = {&task_table};

static chm_rc open_with_task(around_session* s, chm_error* err) {
    const chm_rc rc = open_inner(s, err);
    if (rc == CHM_OK && s->args.executor != NULL) s->args.executor->vt->spawn(s->args.executor, &task, NULL);
    return rc;
}
