/* Every other timer is 20 ms late. */
#define TIMER_POLL poll_late
#include "around_executor.h"

static chm_rc poll_late(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    static unsigned polls;
    return timer_poll_inner(r, t, deadline_ns + (polls++ % 2) * 20000000, w);
}
