#include "known_runs.hpp"
#include "measure/metrics.hpp"
#include "measure/recorder.hpp"

#include <doctest/doctest.h>

#include <atomic>

using namespace chimera::test;
using namespace chimera::host;

TEST_CASE("a failed run gives no efficiency, and its good requests still count") {
    run_record run;
    run.number = 1;
    run.concurrent = execution(100, {agent("a", 0, 0, 100, 10), agent("b", 0, 0, 100, 10)});
    run.concurrent.agents[1].requests[0].error = "reset";
    const auto metrics = metrics_of({run});
    CHECK(metrics[metric::estimated_efficiency].n == 0);
    CHECK(metrics[metric::e2e].n == 1);
    CHECK(metrics[metric::ttft].mean == doctest::Approx(10));
}

TEST_CASE("a piece of a body is split into scheduling, transport and parsing") {
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 10, 4, tokens);
    log.poll_begins(at(1), at(3)); // woken at 1, polled at 3
    request_record& r = log.begin_request("call_0");
    log.chunk(r, 0, at(4), at(4.5), 1);         // its wake says when it was readable
    log.chunk(r, at(5), at(7), at(8), 2);       // arrived while the poll went on, as the transport knows
    log.chunk(r, 0, at(9), at(9.25), 0, at(6)); // asked for as soon as the one before it was done
    const std::vector<chunk_event> c = unpacked(log);
    CHECK(c[0].readable_to_polled == 2'000'000);
    CHECK(c[0].polled_to_delivered == 1'000'000);
    CHECK(c[0].delivered_to_recorded == 500'000);
    CHECK(c[1].readable_to_polled == 0);
    CHECK(c[1].polled_to_delivered == 2'000'000);
    CHECK(c[1].delivered_to_recorded == 1'000'000);
    CHECK(c[2].readable_to_polled == 0);
    CHECK(c[2].polled_to_delivered == 1'000'000); // from the end of the piece before it
    CHECK(c[1].stamped_to_recorded == 0);
    CHECK(c[2].stamped_to_recorded == 3'250'000);
    CHECK(r.content_records == 3);
    CHECK(r.first_token == at(4));
    CHECK(r.last_token == at(7));
    CHECK(tokens == 3);
}

TEST_CASE("bytes that a transport keeps back until there are more are its own delay, not the executor's") {
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 1000, 4, tokens);
    log.poll_begins(at(1), at(2)); // the first bytes were readable at 1: the transport took them and asked for more
    log.poll_ends(at(3));
    log.poll_begins(at(50), at(52));
    request_record& r = log.begin_request("call_0");
    log.chunk(r, at(1), at(53), at(54), 5);
    const chunk_event c = unpacked(log).front();
    CHECK(c.readable_to_polled == 2'000'000);   // 50 -> 52
    CHECK(c.polled_to_delivered == 50'000'000); // the rest of 1 -> 53
    CHECK(c.arrived_to_readable == 0);
    CHECK(r.arrived == at(50));
}

TEST_CASE("what the kernel knows is beside the delays that every transport shows, not in them") {
    std::atomic<std::uint64_t> tokens{0};
    recorder knowing("a", 10, 4, tokens), other("b", 10, 4, tokens);
    for (recorder* log : {&knowing, &other}) {
        log->poll_begins(at(5), at(7));
        request_record& r = log->begin_request("call_0");
        log->chunk(r, log == &knowing ? at(2) : 0, at(8), at(9), 1);
        log->chunk(r, log == &knowing ? at(3) : 0, at(10), at(11), 1);
    }
    for (int i = 0; i < 2; ++i) {
        const auto a = unpacked(knowing)[static_cast<std::size_t>(i)], b = unpacked(other)[static_cast<std::size_t>(i)];
        CHECK(a.client_delay() == b.client_delay());
        CHECK(a.arrived_to_readable == (i == 0 ? 3'000'000 : 6'000'000));
        CHECK(b.arrived_to_readable == 0);
    }
}

TEST_CASE("bytes that come during a poll wait for the next one, which is the executor's delay") {
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 1000, 4, tokens);
    log.poll_begins(at(1), at(2));
    log.poll_ends(at(10));
    log.poll_begins(at(8), at(20)); // woken while it was polled
    request_record& r = log.begin_request("call_0");
    log.chunk(r, at(7), at(21), at(22), 1);
    CHECK(unpacked(log).front().readable_to_polled == 12'000'000);
    CHECK(unpacked(log).front().arrived_to_readable == 1'000'000);
    CHECK(r.arrived == at(7));
}

TEST_CASE("records that came in one piece have no gap between them") {
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 10, 4, tokens);
    log.poll_begins(at(0), at(0));
    request_record& r = log.begin_request("call_0");
    log.chunk(r, 0, at(10), at(10), 1);
    log.chunk(r, 0, at(40), at(40), 3);
    r.dispatched = at(0);
    r.done = at(40);
    run_record run;
    run.number = 1;
    run.concurrent = execution(40, {});
    run.concurrent.agents.push_back(std::move(log.record()));
    run.concurrent.agents[0].start = at(0);
    run.concurrent.agents[0].end = at(40);
    const auto metrics = metrics_of({run});
    const statistics::description& itl = metrics[metric::itl];
    CHECK(itl.n == 3);
    CHECK(itl.max == doctest::Approx(30));
    CHECK(itl.p50 == doctest::Approx(0));
    CHECK(metrics[metric::tpot].mean == doctest::Approx(10)); // 30 ms for 3 tokens after the first
}
