/* A poll does not look again after it has left its waker. */
#define LOOK_AGAIN never_again
#include "own_readiness.h"

static uint32_t never_again(watched* w, uint32_t interest) {
    (void)w, (void)interest;
    return 0;
}
