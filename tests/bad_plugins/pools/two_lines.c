/* Tasks stand in two lines: while one is polled, those behind it wait, though there are idle workers. */
#define POLL poll_in_line
#include "../executors/around_executor.h"

static pthread_mutex_t lines[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static atomic_uint arrivals;

static chm_rc poll_in_line(around_task* t) {
    if (atomic_load(&t->polls) == 1) atomic_store(&t->wakes, atomic_fetch_add(&arrivals, 1)); /* its number */
    pthread_mutex_t* const line = &lines[atomic_load(&t->wakes) % 2];
    pthread_mutex_lock(line);
    const chm_rc rc = poll_inner(t);
    pthread_mutex_unlock(line);
    return rc;
}
