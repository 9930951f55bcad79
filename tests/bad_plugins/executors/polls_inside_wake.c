/* A wake polls the task at once, on the thread that wakes. */
#define WAKE poll_here
#include "around_executor.h"

static void poll_here(around_task* t) {
    if (!atomic_load(&t->polling) && poll_inner(t) == CHM_PENDING) return;
    wake_inner(t);
}
