/* Timers are a millisecond early, as those of a loop that counts milliseconds. */
#define TIMER_POLL poll_early
#include "around_executor.h"

static chm_rc poll_early(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    return timer_poll_inner(r, t, deadline_ns > 1000000 ? deadline_ns - 1000000 : deadline_ns, w);
}
