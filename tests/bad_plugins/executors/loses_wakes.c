/* Every fiftieth wake of a task is lost. */
#define WAKE lose_some
#include "around_executor.h"

static void lose_some(around_task* t) {
    if (atomic_fetch_add(&t->wakes, 1) % 50 != 49) wake_inner(t);
}
