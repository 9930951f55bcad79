/* Has room for so many timers: the waker of one that is armed beyond them is lost. */
#define TIMER_POLL poll_where_room
#define TIMER_DESTROY destroy_and_forget
#include "around_executor.h"

#include <pthread.h>

enum { room = 1024 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static chm_timer* armed[room];

/* Puts `to` where `from` was. */
static _Bool replace(chm_timer* from, chm_timer* to) {
    _Bool found = 0;
    pthread_mutex_lock(&mutex);
    for (unsigned i = 0; i < room && !found; ++i)
        if ((found = armed[i] == from)) armed[i] = to;
    pthread_mutex_unlock(&mutex);
    return found;
}

static chm_rc poll_where_room(chm_reactor* r, chm_timer* t, uint64_t deadline_ns, chm_waker* w) {
    if (!replace(t, t) && !replace(NULL, t)) return CHM_PENDING;
    return timer_poll_inner(r, t, deadline_ns, w);
}
static void destroy_and_forget(chm_reactor* r, chm_timer* t) {
    replace(t, NULL);
    timer_destroy_inner(r, t);
}
