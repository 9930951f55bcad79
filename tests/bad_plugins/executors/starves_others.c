/* A task that wakes itself is polled again and again, and no other. */
#define WAKE count
#define POLL poll_while_woken
#include "around_executor.h"

static void count(around_task* t) {
    if (atomic_load(&t->polling))
        atomic_fetch_add(&t->wakes, 1);
    else
        wake_inner(t);
}
static chm_rc poll_while_woken(around_task* t) {
    for (;;) {
        const chm_rc rc = poll_inner(t);
        if (rc != CHM_PENDING || atomic_exchange(&t->wakes, 0) == 0) return rc;
    }
}
