/* A task whose name is long is refused. */
#define SPAWN spawn_short_named
#include "around_executor.h"

static chm_rc spawn_short_named(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    if (opts != NULL && CHM_HAS(opts, name) && opts->name.len > 64) return CHM_E_LIMIT;
    return spawn_inner(e, task, opts);
}
