/* The name of a task is looked at whatever the size of its options: a long one is refused. */
#define SPAWN spawn_checked
#include "around_executor.h"

static chm_rc spawn_checked(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    if (opts != NULL && opts->name.len > 1 << 30) return CHM_E_LIMIT;
    return spawn_inner(e, task, opts);
}
