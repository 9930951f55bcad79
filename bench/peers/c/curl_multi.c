// libcurl's multi_socket interface on one epoll loop, one easy handle for each agent, with the same scan of records.
#include "peer.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

enum { events_per_turn = 512 };

struct agent {
    CURL* easy;
    uint32_t requests_left;
    struct reply reply;
};

static struct load load;
static struct tally tally;
static CURLM* multi;
static int epoll;
static int64_t alarm_at = -1;
static struct curl_slist* headers;
static char url[128], body[256];

static size_t on_body(char* bytes, size_t one, size_t size, void* agent) {
    (void)one;
    take_body(&((struct agent*)agent)->reply, &tally, bytes, size, now_ns());
    return size;
}

static int on_socket(CURL* easy, curl_socket_t fd, int what, void* unused, void* known) {
    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, 0);
        return 0;
    }
    struct epoll_event event = {.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U),
                                .data = {.fd = fd}};
    epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (!known) curl_multi_assign(multi, fd, &load);
    return 0;
}

static int on_timer(CURLM* unused, long ms, void* unused_too) {
    (void)unused;
    (void)unused_too;
    alarm_at = ms < 0 ? -1 : now_ns() + (int64_t)ms * 1000000;
    return 0;
}

static void ask(struct agent* a) {
    a->reply.tokens = 0;
    a->reply.done = 0;
    a->reply.asked = now_ns();
    --a->requests_left;
    curl_multi_add_handle(multi, a->easy);
}

static void begin(struct agent* a) {
    a->easy = curl_easy_init();
    if (!a->easy) exit(3);
    curl_easy_setopt(a->easy, CURLOPT_URL, url);
    curl_easy_setopt(a->easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(a->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(a->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(a->easy, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(a->easy, CURLOPT_PRIVATE, a);
    curl_easy_setopt(a->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(a->easy, CURLOPT_PROXY, "");
    a->requests_left = load.requests;
    ask(a);
}

// How many agents have come to their end.
static uint32_t take_finished(void) {
    uint32_t ended = 0;
    int left;
    for (CURLMsg* m; (m = curl_multi_info_read(multi, &left));) {
        struct agent* a = 0;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &a);
        long status = 0;
        curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
        if (m->data.result != CURLE_OK || status != 200 || !a->reply.done || a->reply.rest.size != 0)
            ++tally.errors;
        else
            ++tally.replies;
        curl_multi_remove_handle(multi, a->easy);
        if (a->requests_left > 0) {
            ask(a);
            continue;
        }
        curl_easy_cleanup(a->easy);
        free(a->reply.rest.bytes);
        ++ended;
    }
    return ended;
}

static int wait_until(int64_t at, int64_t now) {
    if (at < 0) return -1;
    return at <= now ? 0 : (int)((at - now) / 1000000) + 1;
}

int main(int argc, char** argv) {
    load = read_load(argc, argv);
    snprintf(url, sizeof url, "http://%s:%u/api/generate", load.host, load.port);
    request_body(&load, body, sizeof body);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    headers = curl_slist_append(0, "Content-Type: application/json");
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)load.agents);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct agent* agents = calloc(load.agents, sizeof *agents);
    if (!multi || epoll < 0 || !agents) return 3;
    struct epoll_event events[events_per_turn];
    tally.began = now_ns();
    for (uint32_t begun = 0, ended = 0; ended < load.agents; ended += take_finished()) {
        int64_t now = now_ns();
        while (begun < load.agents && start_of(&load, begun, tally.began) <= now) begin(&agents[begun++]);
        int64_t wake = alarm_at;
        if (begun < load.agents) {
            const int64_t next = start_of(&load, begun, tally.began);
            if (wake < 0 || next < wake) wake = next;
        }
        const int count = epoll_wait(epoll, events, events_per_turn, wait_until(wake, now));
        int running;
        for (int i = 0; i < count; ++i) {
            const uint32_t e = events[i].events;
            const int ready = (e & EPOLLIN ? CURL_CSELECT_IN : 0) | (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                              (e & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[i].data.fd, ready, &running);
        }
        if (alarm_at >= 0 && alarm_at <= now_ns()) {
            alarm_at = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
    }
    const int64_t over = now_ns();
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return print_result("curl_multi", &load, &tally, over);
}
