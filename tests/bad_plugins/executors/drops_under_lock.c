/* A task is dropped under the lock that spawn takes. */
#define DROP drop_locked
#define SPAWN spawn_locked
#include "around_executor.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void drop_locked(around_task* t) {
    pthread_mutex_lock(&mutex);
    drop_inner(t);
    pthread_mutex_unlock(&mutex);
}
static chm_rc spawn_locked(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    pthread_mutex_lock(&mutex);
    const chm_rc rc = spawn_inner(e, task, opts);
    pthread_mutex_unlock(&mutex);
    return rc;
}
