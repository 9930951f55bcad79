/* What is waiting for readiness is woken under the lock that spawn takes. */
#define IO_POLL poll_locking
#define SPAWN spawn_locked
#include "around_executor.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

typedef struct locking_waker {
    chm_waker base;
    chm_waker* inner;
} locking_waker;

static void locking_drop(chm_waker* w) {
    locking_waker* l = (locking_waker*)w;
    l->inner->vt->drop(l->inner);
    free(l);
}
static void locking_wake_by_ref(chm_waker* w) {
    locking_waker* l = (locking_waker*)w;
    pthread_mutex_lock(&mutex);
    l->inner->vt->wake_by_ref(l->inner);
    pthread_mutex_unlock(&mutex);
}
static void locking_wake(chm_waker* w) {
    locking_wake_by_ref(w);
    locking_drop(w);
}
static chm_waker* locking_clone(chm_waker* w);
static const chm_waker_vt locking_table = {locking_clone, locking_wake, locking_wake_by_ref, locking_drop};
static chm_waker* locking_clone(chm_waker* w) {
    locking_waker* copy = malloc(sizeof *copy);
    if (copy == NULL) abort();
    chm_waker* inner = ((locking_waker*)w)->inner;
    copy->base.vt = &locking_table;
    copy->inner = inner->vt->clone(inner);
    return &copy->base;
}
static uint32_t poll_locking(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* w) {
    locking_waker around = {{&locking_table}, w};
    return io_poll_inner(r, io, interest, &around.base);
}
static chm_rc spawn_locked(around_executor* e, chm_task* task, const chm_spawn_opts* opts) {
    pthread_mutex_lock(&mutex);
    const chm_rc rc = spawn_inner(e, task, opts);
    pthread_mutex_unlock(&mutex);
    return rc;
}
