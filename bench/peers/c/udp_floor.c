// udp_floor [ROUNDS]: 256 B there and back on loopback, both ends in one thread, as endpoints on one core would do it:
// each waits in epoll, reads, and writes. What QUIC's round trips are compared with.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { size = 256 };

static void need(int ok, const char* what) {
    if (ok) return;
    perror(what);
    exit(1);
}

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int bound(int type) {
    int s = socket(AF_INET, type, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    need(s >= 0 && bind(s, (struct sockaddr*)&a, sizeof a) == 0, "bind");
    return s;
}

static void connect_to(int s, int other) {
    struct sockaddr_in a;
    socklen_t length = sizeof a;
    need(getsockname(other, (struct sockaddr*)&a, &length) == 0, "getsockname");
    need(connect(s, (struct sockaddr*)&a, sizeof a) == 0, "connect");
}

static int by_value(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

/// Waits until one end can be read, and takes a whole message from it.
static void take(int epoll, int* from) {
    static char bytes[size];
    size_t got = 0;
    while (got < size) {
        struct epoll_event e;
        need(epoll_wait(epoll, &e, 1, 5000) == 1, "epoll_wait");
        const ssize_t n = read(e.data.fd, bytes, size - got);
        need(n > 0, "read");
        got += (size_t)n;
        *from = e.data.fd;
    }
}

static double round_trip_us_p50(int a, int b, int rounds) {
    static const char bytes[size];
    const int epoll = epoll_create1(0), ends[] = {a, b};
    for (int i = 0; i < 2; ++i) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = ends[i]};
        need(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[i], &e) == 0, "epoll_ctl");
    }
    double* us = malloc((size_t)rounds * sizeof *us);
    need(us != NULL, "malloc");
    for (int i = -rounds / 10; i < rounds; ++i) { // the first tenth is not counted
        const double begin = now_us();
        int at = a;
        for (int way = 0; way < 2; ++way) {
            need(write(at, bytes, size) == size, "write");
            take(epoll, &at);
        }
        if (i >= 0) us[i] = now_us() - begin;
    }
    qsort(us, (size_t)rounds, sizeof *us, by_value);
    const double middle = us[rounds / 2];
    free(us);
    close(epoll);
    close(a);
    close(b);
    return middle;
}

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 50000;
    need(rounds > 0, "ROUNDS");
    const int one = 1, a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM);
    connect_to(a, b);
    connect_to(b, a);
    const double udp = round_trip_us_p50(a, b, rounds);

    const int listener = bound(SOCK_STREAM), c = bound(SOCK_STREAM);
    need(listen(listener, 1) == 0, "listen");
    connect_to(c, listener);
    const int d = accept(listener, NULL, NULL);
    need(d >= 0, "accept");
    for (int i = 0; i < 2; ++i) setsockopt(i ? c : d, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const double tcp = round_trip_us_p50(c, d, rounds);
    printf("{\"udp_rtt_us_p50\":%.3f,\"tcp_rtt_us_p50\":%.3f}\n", udp, tcp);
}
