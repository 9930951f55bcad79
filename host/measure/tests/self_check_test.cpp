#include "known_runs.hpp"
#include "measure/self_check.hpp"
#include "measure/thread_sampler.hpp"

#include <chimera/sdk/clock.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include <pthread.h>

using namespace chimera::test;
using namespace chimera::host;

namespace {

/// 100 pieces, 10 ms apart, each delivered with this delay; TTFT 20 ms.
run_record streaming(std::uint32_t delay_us) {
    run_record run;
    run.number = 1;
    agent_record a = agent("a", 0, 0, 1020, 20);
    for (int i = 0; i < 100; ++i) a.chunks.push_back({at(20 + 10 * i), delay_us * 1000, 0, 0, 1, 0});
    a.requests.front().chunks = 100;
    run.concurrent = execution(1020, {a});
    return run;
}

bool names(const self_check& c, const std::string& metric) {
    return std::ranges::find(c.client_limited, metric) != c.client_limited.end();
}

} // namespace

TEST_CASE("a delivery delay of more than one percent of a metric limits this metric, and no other") {
    const self_check fast = *check_client(metrics_of({streaming(50)}));
    CHECK(fast.client_limited.empty());
    CHECK(fast.evidence.empty());
    const self_check slow = *check_client(metrics_of({streaming(150)}));
    CHECK(names(slow, "itl_ms"));        // 1.5 % of 10 ms
    CHECK_FALSE(names(slow, "ttft_ms")); // 0.75 % of 20 ms
    CHECK_FALSE(names(slow, "e2e_ms"));
    REQUIRE(slow.evidence.size() == 1);
    CHECK(slow.evidence[0].find("150 us") != std::string::npos);
}

TEST_CASE("a profile whose times are scaled is judged on the scale that it stands for") {
    const campaign_metrics slow = metrics_of({streaming(150)});
    CHECK(names(*check_client(slow, 1), "itl_ms"));       // 1.5 % of 10 ms
    CHECK(check_client(slow, 9)->client_limited.empty()); // 0.17 % of 90 ms
    run_record run = streaming(0);
    run.concurrent.busiest = thread_load{"worker", 90, 0};
    CHECK(check_client(metrics_of({run}), 9)->client_limited.empty()); // 10 % of a time nine times as long
    const self_check far = *check_client(metrics_of({streaming(1000)}), 9);
    CHECK(names(far, "itl_ms")); // 1.1 % of 90 ms
    CHECK(far.evidence[0].find("on the scale of the profile (9 times as long)") != std::string::npos);
}

TEST_CASE("a worker without a pause limits every metric") {
    run_record run = streaming(0);
    run.concurrent.busiest = thread_load{"worker", 90, 0};
    const self_check c = *check_client(metrics_of({run}));
    CHECK(c.client_limited.size() == 4);
    CHECK(c.evidence.size() == 1);
}

TEST_CASE("a late request limits what begins with its dispatch") {
    run_record run = streaming(0);
    request_record& r = run.concurrent.agents[0].requests[0];
    r.intended = r.dispatched - 500'000; // 2.5 % of TTFT, 0.05 % of E2E
    const self_check c = *check_client(metrics_of({run}));
    CHECK(c.client_limited == std::vector<std::string>{"ttft_ms"});
}

TEST_CASE("a thread that has ended before the last sample counts all the same") {
    thread_sampler sampler;
    std::thread([] {
        pthread_setname_np(pthread_self(), "ended");
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
        while (std::chrono::steady_clock::now() < end) {
        }
    }).join();
    const thread_load load = sampler.finish().value();
    CHECK(load.thread == "ended");
    CHECK(load.busy_pct + load.queued_pct > 50);
}

TEST_CASE("the sampler names the thread that was on a CPU most") {
    std::atomic<bool> over{false};
    thread_sampler sampler;
    std::thread busy([&] {
        pthread_setname_np(pthread_self(), "spinner");
        while (!over) {
        }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const thread_load load = sampler.finish().value();
    over = true;
    busy.join();
    CHECK(load.thread == "spinner");
    CHECK(load.busy_pct + load.queued_pct > 50); // it wanted a CPU all the time, but for the first sample's gap
    CHECK(load.busy_pct <= 100);
}
