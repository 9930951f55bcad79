#include "known_runs.hpp"
#include "measure/path_split.hpp"
#include "measure/recorder.hpp"

#include <doctest/doctest.h>

#include <atomic>

using namespace chimera::test;
using namespace chimera::host;

namespace {

constexpr double ms = 1e6;

/// Works for 10 ms, sends for 5, waits for the server until `arrived`; its last piece takes until `end`.
agent_record one_request(double arrived, double polled, double delivered, double done, double end) {
    agent_record a = agent("a", 0, 0, end, 20);
    request_record& r = a.requests.front();
    r.dispatched = at(10);
    r.sent = at(15);
    r.arrived = at(arrived);
    r.polled = at(polled);
    r.delivered = at(delivered);
    r.done = at(done);
    return a;
}

double sum(const path_split& p) { return p.client() + p.server; }

} // namespace

TEST_CASE("an agent's path is cut into stages that add up to its duration") {
    agent_record a = one_request(100, 103, 104, 106, 110);
    a.work_delay = static_cast<nanoseconds_t>(2 * ms);
    a.requests.front().sending_delay = static_cast<nanoseconds_t>(1 * ms);
    const path_split p = split_path(a, long_polls_of(execution(110, {a})));
    CHECK(p.scheduling == doctest::Approx((2 + 1 + 3) * ms));
    CHECK(p.blocked == 0);
    CHECK(p.transport == doctest::Approx((4 + 1) * ms));
    CHECK(p.parsing == doctest::Approx(2 * ms));
    CHECK(p.work == doctest::Approx((10 + 4 - 2) * ms));
    CHECK(p.server == doctest::Approx(85 * ms));
    CHECK(sum(p) == doctest::Approx(110 * ms));
}

TEST_CASE("a delay is blocked for as long as another agent's poll held a worker") {
    agent_record late = one_request(100, 150, 150, 150, 150);
    agent_record holder = agent("b", 0, 0, 150, 20);
    holder.long_polls.push_back({at(90), at(140), agent_stage::body});
    const path_split p = split_path(late, long_polls_of(execution(150, {late, holder})));
    CHECK(p.blocked == doctest::Approx(40 * ms));
    CHECK(p.scheduling == doctest::Approx(10 * ms));
    CHECK(sum(p) == doctest::Approx(150 * ms));
}

TEST_CASE("a late poll between requests is blocked by its overlap with long polls, each moment once") {
    agent_record late = one_request(100, 100, 100, 100, 200);
    late.late_polls.push_back({at(110), at(190)});
    late.work_delay = static_cast<nanoseconds_t>(80 * ms);
    agent_record b = agent("b", 0, 0, 150, 20), c = b;
    b.long_polls.push_back({at(120), at(150), agent_stage::body});
    c.long_polls.push_back({at(130), at(160), agent_stage::body});
    const path_split p = split_path(late, long_polls_of(execution(200, {late, b, c})));
    CHECK(p.blocked == doctest::Approx(40 * ms));
    CHECK(p.scheduling == doctest::Approx(40 * ms));
    CHECK(sum(p) == doctest::Approx(200 * ms));
}

TEST_CASE("what stood behind others on a shared connection is nobody's scheduling, and the sum still holds") {
    agent_record a = one_request(100, 106, 108, 110, 120);
    request_record& r = a.requests.front();
    const auto split_with = [&](double behind) {
        r.behind_others = static_cast<nanoseconds_t>(behind * ms);
        const path_split p = split_path(a, long_polls_of(execution(120, {a})));
        CHECK(sum(p) == doctest::Approx(120 * ms));
        return p;
    };
    const path_split none = split_with(0), some = split_with(2), all = split_with(7), too_much = split_with(500);
    CHECK(none.head_of_line == 0);
    CHECK(none.scheduling == doctest::Approx(6 * ms));
    CHECK(some.head_of_line == doctest::Approx(2 * ms));
    CHECK(some.scheduling == doctest::Approx(4 * ms));
    CHECK(some.transport == doctest::Approx(none.transport));
    CHECK(all.head_of_line == doctest::Approx(7 * ms)); // in an exchange's own poll too
    CHECK(all.scheduling == 0);
    CHECK(all.transport == doctest::Approx(none.transport - 1 * ms));
    CHECK(too_much.head_of_line == doctest::Approx(8 * ms));
    CHECK(too_much.server == doctest::Approx(none.server));
}

TEST_CASE("a piece that came while the agent was polled, over a connection that others read, was not kept back") {
    std::atomic<std::uint64_t> tokens{0};
    for (const bool shared : {false, true}) {
        recorder log("a", 10, 8, tokens);
        log.poll_begins(at(0), at(0));
        request_record& r = log.begin_request("call_0");
        r.shared = shared;
        log.stage(agent_stage::body);
        log.chunk(r, at(0), at(1), at(2), 1);
        log.poll_ends(at(10));
        log.poll_begins(at(20), at(21)); // by whoever read the connection, late
        log.chunk(r, at(5), at(22), at(23), 1, 0, 3'000'000);
        r.done = at(23);
        CHECK(r.behind_others == 3'000'000);
        CHECK(r.arrived == (shared ? at(5) : at(20)));
        const chunk_event last = unpacked(log).back();
        CHECK(last.polled_to_delivered == (shared ? 1'000'000 : 16'000'000));
        CHECK(last.arrived_to_readable == (shared ? 15'000'000 : 0));
        CHECK(last.behind_others == 3'000'000);
    }
}

TEST_CASE("moments that a transport does not know are the server's, and the sum still holds") {
    agent_record a = one_request(100, 103, 104, 106, 110);
    request_record& r = a.requests.front();
    r.sent = r.arrived = r.polled = r.delivered = 0;
    const path_split p = split_path(a, long_polls_of(execution(110, {a})));
    CHECK(p.server == doctest::Approx(96 * ms));
    CHECK(sum(p) == doctest::Approx(110 * ms));
}

TEST_CASE("the recorder keeps the way of the last piece, and leaves the head's poll out of the sending delay") {
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 1000, 8, tokens);
    log.stage(agent_stage::connect);
    log.poll_begins(at(1), at(3)); // 2 ms late, before the request
    request_record& r = log.begin_request("call_0");
    log.stage(agent_stage::first_byte);
    r.dispatched = at(3);
    log.poll_begins(at(10), at(14)); // 4 ms late: connected, and sends
    r.sent = at(14);
    log.poll_begins(at(50), at(57)); // the head is there, 7 ms late
    log.head(r, 0);
    log.chunk(r, 0, at(58), at(59), 1);
    log.poll_begins(at(90), at(95));
    log.chunk(r, 0, at(96), at(97), 1);
    r.done = at(97);
    log.chunk(r, 0, at(98), at(99), 0); // what follows the end is not on its way
    CHECK(log.record().work_delay == static_cast<nanoseconds_t>(2 * ms));
    CHECK(r.sending_delay == static_cast<nanoseconds_t>(4 * ms));
    CHECK(r.arrived == at(90));
    CHECK(r.polled == at(95));
    CHECK(r.delivered == at(96));
}

TEST_CASE("a delay of ten seconds is kept whole") {
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 10, 8, tokens);
    log.stage(agent_stage::ingest);
    log.poll_begins(at(1), at(10'001));
    CHECK(log.record().work_delay == static_cast<nanoseconds_t>(10'000 * ms));
    CHECK(log.record().runnable == static_cast<nanoseconds_t>(10'000 * ms));
}

TEST_CASE("the wait for a permit ends with the wake that brings it") {
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 10, 8, tokens);
    log.poll_begins(0, at(0));
    log.record().permit_asked = at(1);
    log.poll_begins(at(50), at(80));
    log.starts();
    CHECK(log.record().permit_wait() == static_cast<nanoseconds_t>(49 * ms));
}

TEST_CASE("a piece that was awaited inside the poll arrived there, not when the poll began") {
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 10, 8, tokens);
    log.poll_begins(at(0), at(0));
    request_record& r = log.begin_request("call_0");
    log.stage(agent_stage::first_byte);
    log.head(r, at(400));                 // the poll was parked until then
    log.chunk(r, 0, at(401), at(401), 1); // came with the head
    CHECK(r.arrived == at(400));
    log.chunk(r, at(900), at(901), at(901), 1); // parked again
    log.chunk(r, 0, at(902), at(902), 1);
    CHECK(r.arrived == at(900));
    CHECK(unpacked(log).front().polled_to_delivered == 1'000'000);
}

TEST_CASE("the wait for the end of the body, and for redirects, is the server's; lateness in it is not") {
    agent_record a = one_request(100, 100, 100, 100, 200);
    request_record& r = a.requests.front();
    r.drained = at(180);
    r.drain_delay = static_cast<nanoseconds_t>(30 * ms);
    r.redirecting = static_cast<nanoseconds_t>(4 * ms);
    const path_split p = split_path(a, {});
    CHECK(p.server == doctest::Approx((85 + 50 + 4) * ms));
    CHECK(p.scheduling == doctest::Approx(30 * ms));
    CHECK(p.transport == doctest::Approx(1 * ms));
    CHECK(p.work == doctest::Approx(30 * ms));
    CHECK(sum(p) == doctest::Approx(200 * ms));
}
