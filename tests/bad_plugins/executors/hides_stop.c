/* A run that was stopped says that no task was left. */
#define RUN run_well
#include "around_executor.h"

static chm_rc run_well(around_executor* e, uint32_t mode, chm_error* err) {
    const chm_rc rc = run_inner(e, mode, err);
    return rc == CHM_E_CANCELED ? CHM_OK : rc;
}
