/* A deadline that is over never comes. */
#define TIMER_POLL poll_future
#include "around_executor.h"

#include <time.h>

static chm_rc poll_future(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
    return timer_poll_inner(r, t, deadline_ns < now_ns ? UINT64_MAX / 2 : deadline_ns, w);
}
