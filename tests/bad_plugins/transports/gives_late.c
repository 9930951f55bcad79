/* Each piece is given 5 ms after it was read. */
#define POLL_CHUNK give_later
#define CLOSE close_with_timer
#include "around_transport.h"

#include <time.h>

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static chm_rc give_later(around_exchange* x, chm_waker* w, chm_str* view, chm_error* err) {
    chm_reactor* r = x->session->args.reactor;
    if (x->due == 0) {
        const chm_rc rc = poll_chunk_inner(x, w, view, err);
        if (rc != CHM_READY) return rc;
        x->kept = realloc(x->kept, view->len);
        if (x->kept == NULL) abort();
        memcpy(x->kept, view->ptr, view->len);
        x->kept_size = view->len;
        x->due = now_ns() + 5000000;
    }
    if (x->timer == NULL && r->vt->timer_create(r, &x->timer) < 0) abort();
    if (r->vt->timer_poll(r, x->timer, x->due, w) == CHM_PENDING) return CHM_PENDING;
    x->due = 0;
    view->ptr = x->kept;
    view->len = x->kept_size;
    return CHM_READY;
}
static void close_with_timer(around_exchange* x) {
    chm_reactor* r = x->session->args.reactor;
    if (x->timer != NULL) r->vt->timer_destroy(r, x->timer);
    close_inner(x);
}
