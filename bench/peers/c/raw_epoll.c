// The limit: one epoll loop, one recv for each wake, chunks and records taken apart by hand in the buffer they were
// read into. Edge-triggered, so that a short read needs no second one.
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { read_bytes = 64 << 10, events_per_turn = 512 };

enum place { in_head, in_size, in_size_rest, in_data, after_data, in_trailer };

struct agent {
    int fd;
    uint32_t requests_left;
    uint32_t matched; // in_head: bytes of the blank line seen; in_data: bytes of the chunk still to come
    uint8_t place, asked;
    struct reply reply;
};

struct loop {
    struct load load;
    struct tally tally;
    struct sockaddr_in server;
    int epoll;
    uint32_t open;
    char* request;
    size_t request_size;
    struct agent* agents;
    char buffer[read_bytes];
};

static void leave(struct loop* l, struct agent* a) {
    close(a->fd);
    free(a->reply.rest.bytes);
    a->fd = -1;
    --l->open;
}

static void fail(struct loop* l, struct agent* a) {
    ++l->tally.errors;
    leave(l, a);
}

static void ask(struct loop* l, struct agent* a) {
    a->asked = 1;
    a->place = in_head;
    a->matched = 0;
    a->reply.tokens = 0;
    a->reply.done = 0;
    a->reply.asked = now_ns();
    --a->requests_left;
    if (send(a->fd, l->request, l->request_size, MSG_NOSIGNAL) != (ssize_t)l->request_size) fail(l, a);
}

static void begin(struct loop* l, struct agent* a) {
    a->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = a}};
    if (a->fd < 0 || setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        (connect(a->fd, (const struct sockaddr*)&l->server, sizeof l->server) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(l->epoll, EPOLL_CTL_ADD, a->fd, &event) != 0) {
        perror("raw_epoll");
        exit(3);
    }
    a->requests_left = l->load.requests;
    ++l->open;
}

// A reply ends with its last chunk. False: the agent has left.
static int reply_over(struct loop* l, struct agent* a) {
    if (!a->reply.done || a->reply.rest.size != 0) ++l->tally.errors;
    ++l->tally.replies;
    if (a->requests_left == 0) {
        leave(l, a);
        return 0;
    }
    ask(l, a);
    return a->fd >= 0;
}

static unsigned digit(char c) { return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 32U) - 'a' + 10; }

// The response head is only looked through for its end: the server is known to send chunks.
static void take_bytes(struct loop* l, struct agent* a, const char* p, size_t size, int64_t now) {
    static const char blank[] = "\r\n\r\n";
    for (const char* const end = p + size; p < end;) {
        switch ((enum place)a->place) {
        case in_head:
            a->matched = *p == blank[a->matched] ? a->matched + 1 : *p == '\r';
            ++p;
            if (a->matched == 4) {
                a->place = in_size;
                a->matched = 0;
            }
            break;
        case in_size:
            if (*p == '\r') {
                a->place = in_size_rest;
            } else {
                a->matched = a->matched * 16 + digit(*p);
            }
            ++p;
            break;
        case in_size_rest:
            ++p;
            a->place = a->matched == 0 ? in_trailer : in_data;
            break;
        case in_data: {
            const size_t here = (size_t)(end - p) < a->matched ? (size_t)(end - p) : a->matched;
            take_body(&a->reply, &l->tally, p, here, now);
            p += here;
            a->matched -= (uint32_t)here;
            if (a->matched == 0) a->place = after_data;
            break;
        }
        case after_data:
            if (*p++ == '\n') a->place = in_size;
            break;
        case in_trailer: // empty: one line end
            if (*p++ == '\n' && !reply_over(l, a)) return;
            break;
        }
    }
}

static void on_event(struct loop* l, struct agent* a, uint32_t events) {
    if (!a->asked && (events & EPOLLOUT)) ask(l, a);
    if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP))) return;
    while (a->fd >= 0) {
        const ssize_t got = recv(a->fd, l->buffer, sizeof l->buffer, 0);
        if (got > 0) {
            take_bytes(l, a, l->buffer, (size_t)got, now_ns());
            if ((size_t)got < sizeof l->buffer) return; // the socket is empty
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        } else {
            fail(l, a);
        }
    }
}

int main(int argc, char** argv) {
    static struct loop l;
    l.load = read_load(argc, argv);
    l.server.sin_family = AF_INET;
    l.server.sin_port = htons(l.load.port);
    if (inet_pton(AF_INET, l.load.host, &l.server.sin_addr) != 1) {
        fprintf(stderr, "raw_epoll: --url needs a numeric IPv4 address\n");
        return 2;
    }
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    l.request = request_text(&l.load, &l.request_size);
    l.agents = calloc(l.load.agents, sizeof *l.agents);
    if (l.epoll < 0 || !l.agents) return 3;
    struct epoll_event events[events_per_turn];
    l.tally.began = now_ns();
    for (uint32_t begun = 0; begun < l.load.agents || l.open > 0;) {
        int wait_ms = -1;
        if (begun < l.load.agents) {
            const int64_t now = now_ns();
            while (begun < l.load.agents && start_of(&l.load, begun, l.tally.began) <= now)
                begin(&l, &l.agents[begun++]);
            if (begun < l.load.agents) wait_ms = (int)((start_of(&l.load, begun, l.tally.began) - now) / 1000000) + 1;
        }
        const int count = epoll_wait(l.epoll, events, events_per_turn, wait_ms);
        for (int i = 0; i < count; ++i) on_event(&l, events[i].data.ptr, events[i].events);
    }
    return print_result("raw_epoll", &l.load, &l.tally, now_ns());
}
