/* Workers are numbered from 1. */
#define WORKER_HERE from_one
#include "around_executor.h"

static chm_rc from_one(around_executor* e) {
    const chm_rc number = worker_here_inner(e);
    return number < 0 ? number : number + 1;
}
