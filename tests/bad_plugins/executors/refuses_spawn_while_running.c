/* Tasks are accepted only before run. */
#define SPAWN spawn_before_run
#include "around_executor.h"

static chm_rc spawn_before_run(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    return atomic_load(&e->running) ? CHM_E_STATE : spawn_inner(e, task, opts);
}
