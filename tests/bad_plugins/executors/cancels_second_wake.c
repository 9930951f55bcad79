/* The second wake before a poll undoes the first: the task is polled only after an odd number of wakes. */
#define WAKE count
#define POLL poll_if_odd
#include "around_executor.h"

static void count(around_task* t) {
    atomic_fetch_add(&t->wakes, 1);
    wake_inner(t);
}
static chm_rc poll_if_odd(around_task* t) {
    const unsigned wakes = atomic_exchange(&t->wakes, 0);
    return t->polls > 1 && wakes % 2 == 0 ? CHM_PENDING : poll_inner(t);
}
