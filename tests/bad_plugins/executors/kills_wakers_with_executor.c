/* A waker that outlives its executor is used after its memory has gone. */
#define WAKE wake_living
#define DESTROY destroy_all
#include "around_executor.h"

static atomic_bool gone;

static void wake_living(around_task* t) {
    if (atomic_load(&gone)) abort(); /* as freed memory would, on a good day */
    wake_inner(t);
}
static void destroy_all(around_executor* e) {
    destroy_inner(e);
    atomic_store(&gone, 1);
}
