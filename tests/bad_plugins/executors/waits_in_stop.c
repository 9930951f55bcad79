/* Stop waits until run has returned. */
#define STOP stop_and_wait
#include "around_executor.h"

static void stop_and_wait(around_executor* e) {
    stop_inner(e);
    while (atomic_load(&e->running)) usleep(1000);
}
