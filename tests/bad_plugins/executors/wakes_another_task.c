/* A wake reaches the task that was polled last, whichever it belongs to. */
#define WAKE wake_latest
#define POLL remember
#include "around_executor.h"

static _Atomic(around_task*) latest;

static void wake_latest(around_task* t) {
    around_task* other = atomic_load(&latest);
    wake_inner(other != NULL ? other : t);
}
static chm_rc remember(around_task* t) {
    around_task* before = atomic_load(&latest);
    if (t != before) {
        retain(t);
        atomic_store(&latest, t);
        if (before != NULL) release(before);
    }
    return poll_inner(t);
}
