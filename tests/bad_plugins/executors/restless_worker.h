/* An executor with one worker more, which has nothing to do. A plugin defines BETWEEN_LOOKS(), what that one does
 * between two looks for work, then includes this. */
#define RUN run_with_restless_worker
#include "around_executor.h"

static void* look_for_work(void* running) {
    while (atomic_load((atomic_bool*)running)) BETWEEN_LOOKS();
    return NULL;
}
static chm_rc run_with_restless_worker(around_executor* e, uint32_t mode, chm_error* err) {
    pthread_t worker;
    if (pthread_create(&worker, NULL, look_for_work, &e->running) != 0) return CHM_E_FAIL;
    const chm_rc rc = run_inner(e, mode, err);
    atomic_store(&e->running, 0);
    pthread_join(worker, NULL);
    return rc;
}
