/* A sound executor whose descriptors are watched by a thread of the plugin's own, which reports while others poll and
 * clear. A plugin names a function of its own in place of what it does wrong, then includes this and defines it. */
#ifndef LOOK_AGAIN
#define LOOK_AGAIN ready
#endif
#ifndef FORGET
#define FORGET forget_unless_reported
#endif
#ifndef BEFORE_REPORTS
#define BEFORE_REPORTS at_once
#endif
#define CREATE start_watching
#define IO_REGISTER own_register
#ifndef IO_POLL
#define IO_POLL own_poll
#endif
#define IO_CLEAR own_clear
#define IO_DEREGISTER own_deregister
#include "around_executor.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

typedef struct watched {
    int fd;
    atomic_uint readiness; /* bits in the low 8, a tick of the reports above */
    atomic_uint interest;
    _Atomic(chm_waker*) waiter;
    struct watched* next_retired;
} watched;

static int epoll_fd;
static _Atomic(watched*) retired; /* freed between turns, when no report for them is under way */

static inline uint32_t ready(watched* w, uint32_t interest) {
    const uint32_t now = atomic_load(&w->readiness);
    return now & (interest | CHM_IO_ERR | CHM_IO_HUP) ? now : 0;
}
static inline void forget_unless_reported(watched* w, uint32_t seen, uint32_t bits) {
    uint32_t now = atomic_load(&w->readiness);
    do {
        if (now >> 8 != seen >> 8) return;
    } while (!atomic_compare_exchange_weak(&w->readiness, &now, now & ~bits));
}
static inline void at_once(void) {}
static uint32_t LOOK_AGAIN(watched* w, uint32_t interest);
static void FORGET(watched* w, uint32_t seen, uint32_t bits);
static void BEFORE_REPORTS(void);

static void leave(watched* w, chm_waker* waker) {
    chm_waker* earlier = atomic_exchange(&w->waiter, waker);
    if (earlier != NULL) earlier->vt->drop(earlier);
}
static void report(watched* w, uint32_t events) {
    uint32_t bits = 0;
    if (events & (EPOLLIN | EPOLLRDHUP)) bits |= CHM_IO_READ;
    if (events & EPOLLOUT) bits |= CHM_IO_WRITE;
    if (events & EPOLLERR) bits |= CHM_IO_ERR;
    if (events & (EPOLLHUP | EPOLLRDHUP)) bits |= CHM_IO_HUP;
    uint32_t old = atomic_load(&w->readiness);
    while (!atomic_compare_exchange_weak(&w->readiness, &old, (old + 0x100U) | bits)) {
    }
    if ((bits & (atomic_load(&w->interest) | CHM_IO_ERR | CHM_IO_HUP)) == 0) return;
    chm_waker* waiter = atomic_exchange(&w->waiter, NULL);
    if (waiter != NULL) waiter->vt->wake(waiter);
}
static void* watch(void* nothing) {
    struct epoll_event events[64];
    for (;;) {
        for (watched* w = atomic_exchange(&retired, NULL); w != NULL;) {
            watched* next = w->next_retired;
            free(w);
            w = next;
        }
        const int n = epoll_wait(epoll_fd, events, 64, -1);
        BEFORE_REPORTS();
        for (int i = 0; i < n; ++i) report((watched*)events[i].data.ptr, events[i].events);
    }
    return nothing;
}
static void start_watching(around_executor* e) {
    static atomic_bool started; /* one thread for all executors, and for good: the kit's first executor starts it */
    (void)e;
    if (atomic_exchange(&started, 1)) return;
    pthread_t thread;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || pthread_create(&thread, NULL, watch, NULL) != 0) abort();
    pthread_detach(thread);
}

static chm_rc own_register(chm_reactor* r, int fd, chm_io** out) {
    (void)r;
    watched* w = calloc(1, sizeof *w);
    if (w == NULL) return CHM_E_NOMEM;
    w->fd = fd;
    struct epoll_event wanted = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = w}};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &wanted) < 0) {
        free(w);
        return errno == EEXIST ? CHM_E_STATE : CHM_E_INVAL;
    }
    *out = (chm_io*)w;
    return CHM_OK;
}
static uint32_t own_poll(chm_reactor* r, chm_io* io, uint32_t interest, chm_waker* waker) {
    (void)r;
    watched* w = (watched*)io;
    const uint32_t now = ready(w, interest);
    if (now != 0) return now;
    atomic_store(&w->interest, interest);
    leave(w, waker->vt->clone(waker));
    return LOOK_AGAIN(w, interest);
}
static void own_clear(chm_reactor* r, chm_io* io, uint32_t seen, uint32_t bits, uint32_t how) {
    (void)r;
    watched* w = (watched*)io;
    FORGET(w, seen, bits & (CHM_IO_READ | CHM_IO_WRITE));
    if (how != CHM_IO_RECHECK) return;
    struct pollfd now = {w->fd, 0, 0};
    if (bits & CHM_IO_READ) now.events |= POLLIN;
    if (bits & CHM_IO_WRITE) now.events |= POLLOUT;
    if (poll(&now, 1, 0) > 0) report(w, (uint32_t)now.revents);
}
static void own_deregister(chm_reactor* r, chm_io* io) {
    (void)r;
    watched* w = (watched*)io;
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    leave(w, NULL);
    watched* head = atomic_load(&retired);
    do {
        w->next_retired = head;
    } while (!atomic_compare_exchange_weak(&retired, &head, w));
}
