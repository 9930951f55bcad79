/* Nothing is received beside a task that wakes itself. */
#define WAKE note_busy
#define RECEIVE receive_when_idle
#include "around_receive.h"

static atomic_bool busy; /* since the last poll of a receive */

static void note_busy(around_task* t) {
    if (atomic_load(&t->polling)) atomic_store(&busy, 1);
    wake_inner(t);
}
static chm_rc receive_when_idle(chm_reactor* r, around_receive* x, chm_waker* w, void* to, uint64_t capacity,
                                chm_received* out) {
    if (!atomic_exchange(&busy, 0)) return receive_inner(r, x, w, to, capacity, out);
    out->os_error = 0;
    out->count = out->kernel_ns = 0;
    if (w != NULL) io_poll_inner(r, x->io, 0, w);
    return CHM_PENDING;
}
