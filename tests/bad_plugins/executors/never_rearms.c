/* A timer that is armed keeps its first deadline. */
#define TIMER_POLL poll_first
#define TIMER_DESTROY destroy_one
#include "around_executor.h"

static struct {
    chm_timer* timer;
    uint64_t deadline_ns;
} armed[64];

static chm_rc poll_first(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    size_t i = 0;
    while (i < 63 && armed[i].timer != t && armed[i].timer != NULL) ++i;
    if (armed[i].timer != t) {
        armed[i].timer = t;
        armed[i].deadline_ns = deadline_ns;
    }
    return timer_poll_inner(r, t, armed[i].deadline_ns, w);
}
static void destroy_one(chm_reactor* r, chm_timer* t) {
    for (size_t i = 0; i < 64; ++i)
        if (armed[i].timer == t) armed[i].timer = NULL;
    timer_destroy_inner(r, t);
}
