/* An executor runs only on the thread that made it. */
#define CREATE remember
#define RUN run_here
#include "around_executor.h"

static pthread_t maker; /* of the last one */

static void remember(around_executor* e) {
    (void)e;
    maker = pthread_self();
}
static chm_rc run_here(around_executor* e, uint32_t mode, chm_error* err) {
    return pthread_equal(maker, pthread_self()) ? run_inner(e, mode, err) : CHM_E_AFFINITY;
}
