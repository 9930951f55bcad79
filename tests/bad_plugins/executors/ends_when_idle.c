/* Run until stop ends as soon as there is nothing to do. */
#define RUN run_until_idle
#include "around_executor.h"

static chm_rc run_until_idle(around_executor* e, uint32_t mode, chm_error* err) {
    (void)mode;
    return run_inner(e, CHM_RUN_UNTIL_IDLE, err);
}
