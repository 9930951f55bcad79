// What one token costs.
#include <doctest/doctest.h>

#include <atomic>

#include "client.hpp"
#include "counted_calls.hpp"

using namespace chimera::socket::test;

namespace {

constexpr int warm_up = 10;
constexpr int tokens = 200;

/// A server that sends one token each time it is asked to, so that each comes alone.
class token_server {
  public:
    void next() { tokens_.go_on(); }
    std::string url() const { return server_.url(); }

  private:
    steps tokens_;
    one_by_one_server server_{[this](peer& p) {
        while (!p.request_text().empty()) {
            p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < warm_up + tokens; ++i) {
                tokens_.wait();
                p.send("26\r\n{\"response\":\" token\",\"done\":false,...}\r\n");
            }
            p.send("0\r\n\r\n");
        }
    }};
};

call_counts operator-(const call_counts& a, const call_counts& b) {
    return {a.allocations - b.allocations,
            a.receives - b.receives,
            a.clock_reads - b.clock_reads,
            a.registrations - b.registrations,
            a.alarms - b.alarms,
            0,
            0};
}

/// What `tokens` tokens cost inside poll_chunk, once everything is warm.
call_counts measure(client& c, token_server& server) {
    call_counts cost;
    chm_exchange* x = c.start();
    chm_head head{};
    chm_str view{};
    REQUIRE(c.wait_head(x, head) == CHM_READY);
    REQUIRE(c.poll_chunk(x, view) == CHM_PENDING);
    for (int i = 0; i < warm_up + tokens; ++i) {
        if (i == warm_up) cost = {};
        server.next();
        for (bool received = false; !received;) { // a waker may be woken for nothing
            c.wait();
            const call_counts before = calls();
            while (x->vt->poll_chunk(x, c.waker().get(), &view, nullptr) == CHM_READY) {
            }
            const call_counts spent = calls() - before;
            received = spent.receives > 0;
            cost.allocations += spent.allocations;
            cost.receives += spent.receives;
            cost.clock_reads += spent.clock_reads;
            cost.registrations += spent.registrations;
            cost.alarms += spent.alarms;
        }
    }
    while (c.wait_chunk(x, view) == CHM_READY) { // fill: what is left
    }
    CHECK(c.poll_chunk(x, view) == CHM_END);
    x->vt->close(x);
    return cost;
}

void check_cost(std::string_view delivery) {
    token_server server;
    client c({{"delivery", delivery}});
    REQUIRE(c.open(server.url()) == CHM_OK);
    for (int round = 0; round < 2; ++round) {
        const call_counts cost = measure(c, server);
        CHECK(cost.receives >= tokens);
        CHECK(cost.receives <= tokens + 1); // the end of the body, when it comes at once
        CHECK(cost.clock_reads >= cost.receives);
        CHECK(cost.clock_reads <= cost.receives + 9); // the distance of two clocks, where a second has passed
        CHECK(cost.allocations == 0);
        CHECK(cost.registrations == 0);
        CHECK(cost.alarms == 0);
    }
}

} // namespace

TEST_CASE("a token costs one recv, one look at the clock, and nothing else") { check_cost("immediate"); }

TEST_CASE("fill: a token costs one recv, one look at the clock, and nothing else") { check_cost("fill"); }
