/* An exchange: each poll sends the request and receives the response as far as it can. A poll never blocks. To wait, it
 * leaves the waker with the reactor (io_poll returns 0), and returns CHM_PENDING. */
#include "session.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static session* of(chm_exchange* x) { return (session*)((char*)x - offsetof(session, exchange)); }

chm_rc fail(const char* url, chm_rc rc, const char* why, chm_error* error) {
    if (error && error->text) snprintf(error->text, error->cap, "%s: %s", url, why);
    return rc;
}
static void deregister(session* s) { /* before close(fd): after it another connection may get the number */
    if (s->io) s->reactor->vt->io_deregister(s->reactor, s->io);
    s->io = NULL;
}
void disconnect(session* s) {
    deregister(s);
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    s->unread.len = 0;
}

/* Begins to connect to the next address. The first send tells whether it worked. getaddrinfo may block, unless the host
 * is an address or in /etc/hosts. A transport for the internet calls it on another thread. */
static chm_rc begin_connect(session* s, chm_error* error) {
    if (!s->addresses) {
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        const int why = getaddrinfo(s->host, s->port, &hints, &s->addresses);
        if (why) return fail(s->url, CHM_E_RESOLVE, gai_strerror(why), error);
        s->next = s->addresses;
    }
    for (const int on = 1; s->fd < 0; s->next = s->next->ai_next) {
        const struct addrinfo* const a = s->next;
        if (!a) return fail(s->url, CHM_E_CONNECT, strerror(s->refused), error);
        s->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connect(s->fd, a->ai_addr, a->ai_addrlen) < 0 && (s->refused = errno) != EINPROGRESS) disconnect(s);
    }
    return CHM_OK;
}
/* The connection is gone. If nothing was sent, it was refused: try the next address. If it was a used one, the server
 * may have closed it at the same moment: try once more. Everything else fails. */
static chm_rc lost(session* s, int why, chm_error* error) {
    if (!s->may_retry && s->sent > 0)
        return fail(s->url, why ? CHM_E_IO : CHM_E_CLOSED, why ? strerror(why) : "closed early", error);
    s->refused = why;
    s->may_retry = 0;
    s->sent = 0;
    return disconnect(s), CHM_OK;
}
/* CHM_READY: the head is there, or a piece of the body, which lies in buffer. Never CHM_OK, which is CHM_PENDING. */
static chm_rc poll_response(session* s, chm_waker* waker, chm_str* piece, chm_error* error) {
    chm_rc rc;
    while ((rc = chm_http1_next(&s->response, &s->unread, piece)) == CHM_PENDING) {
        const chm_reactor_vt* const reactor = s->reactor->vt;
        if (s->fd < 0 && (rc = begin_connect(s, error)) < 0) return rc;
        if (!s->io && (rc = reactor->io_register(s->reactor, s->fd, &s->io)) < 0) return rc;
        const int sending = s->sent < s->request_size;
        const uint32_t bit = sending ? CHM_IO_WRITE : CHM_IO_READ;
        const uint32_t seen = reactor->io_poll(s->reactor, s->io, bit, waker);
        if (!seen) return CHM_PENDING; /* the reactor will wake the task */
        const size_t asked = sending ? s->request_size - s->sent : sizeof s->buffer;
        const ssize_t n =
            sending ? send(s->fd, s->request + s->sent, asked, MSG_NOSIGNAL) : recv(s->fd, s->buffer, asked, 0);
        if (n < (ssize_t)asked) reactor->io_clear(s->reactor, s->io, seen, bit, CHM_IO_DRAINED); /* sticky until then */
        if (n > 0 && sending) s->sent += (size_t)n;
        if (n > 0 && !sending) s->unread = (chm_str){s->buffer, (size_t)n}, s->may_retry = 0;
        if (n == 0 && chm_http1_closed(&s->response) == CHM_END) continue;
        if (n == 0 || (n < 0 && errno != EAGAIN)) rc = lost(s, n ? errno : 0, error);
        if (rc < 0) return rc;
    }
    return rc < 0 ? fail(s->url, rc, rc == CHM_E_LIMIT ? "too long a head" : "not HTTP/1.1", error) : rc;
}
static chm_rc poll_head(chm_exchange* x, chm_waker* waker, chm_head* head, chm_error* error) {
    chm_str none;
    const chm_rc rc = poll_response(of(x), waker, &none, error);
    *head = (chm_head){head->size, of(x)->response.status, of(x)->response.headers, of(x)->response.n_headers};
    return rc;
}
static chm_rc poll_chunk(chm_exchange* x, chm_waker* waker, chm_str* view, chm_error* error) {
    return poll_response(of(x), waker, view, error);
}
static void close_exchange(chm_exchange* x) {
    session* const s = of(x);
    if (s->response.state != CHM_HTTP1_DONE || !s->response.keep_alive || s->unread.len > 0) disconnect(s);
    deregister(s); /* drops the waker too: the task is not woken any more */
    s->open = 0;
}
const chm_exchange_vt exchange_table = {sizeof exchange_table, 0, poll_head, poll_chunk, close_exchange};
