/* A wake that comes while its task is polled is lost. */
#define WAKE wake_unless_polled
#include "around_executor.h"

static void wake_unless_polled(around_task* t) {
    if (!atomic_load(&t->polling)) wake_inner(t);
}
