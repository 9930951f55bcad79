/* Spawn wants options of exactly the size that it was compiled with. */
#define SPAWN spawn_exact
#include "around_executor.h"

static chm_rc spawn_exact(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    if (opts != NULL && opts->size != sizeof *opts) return CHM_E_INVAL;
    return spawn_inner(e, task, opts);
}
