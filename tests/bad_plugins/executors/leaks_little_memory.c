/* Every hundredth task leaves 32 bytes behind. */
#define DROP drop_most
#include "around_executor.h"

void* volatile last; /* not static: the allocation is kept */

static void drop_most(around_task* t) {
    static atomic_uint drops;
    if (atomic_fetch_add(&drops, 1) % 100 == 0) last = malloc(32);
    drop_inner(t);
}
