#include "live/live_metrics.hpp"

#include "prometheus_page.hpp"

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace chimera::host;
using chimera::test::prometheus_page;
using chimera::test::scrape;

namespace {

profile sample_profile() {
    profile p;
    p.name = "sample";
    p.executor.plugin = "fiber";
    p.transport.plugin = "socket";
    p.workload.agents.resize(2);
    p.measure.runs = 3;
    return p;
}

/// TTFT 20 ms, gaps of 10 ms and 3 times 0, E2E 100 ms, delivery delay 30 us a piece.
agent_record sample_agent() {
    agent_record a;
    request_record r;
    r.call = "call_0";
    r.status = 200;
    r.dispatched = 1'000'000'000;
    r.first_token = 1'020'000'000;
    r.done = 1'100'000'000;
    r.chunks = 2;
    a.chunks = {{1'020'000'000, 10'000, 20'000, 5'000, 1}, {1'030'000'000, 10'000, 20'000, 5'000, 4}};
    a.requests.push_back(r);
    return a;
}

prometheus_page page_of(const live_metrics& m) {
    const auto page = scrape(m.url());
    REQUIRE(page);
    return *page;
}

const planned_execution together{1, {0, 1}, true};
const planned_execution alone{1, {0}, false};
const planned_execution warm_up{0, {0, 1}, true};

} // namespace

TEST_CASE("everything is there from the beginning, with nothing counted") {
    const profile p = sample_profile();
    const execution_control control;
    const live_metrics m(p, control, "127.0.0.1", 0);
    const prometheus_page page = page_of(m);
    CHECK(page.at("chimera_runs_planned") == 3);
    CHECK(page.at("chimera_agents") == 2);
    CHECK(page.at("chimera_agents_at_work") == 0);
    CHECK(page.at("chimera_tokens_total") == 0);
    CHECK(page.at("process_resident_memory_bytes") > 1e6);
    for (const char* status : {"complete", "failed"})
        CHECK(page.at("chimera_runs_total{status=\"" + std::string(status) + "\"}") == 0);
    for (const std::string execution : {"warm_up", "alone", "together"}) {
        CHECK(page.at("chimera_requests_total{execution=\"" + execution + "\",status=\"ok\"}") == 0);
        for (const char* name : {"ttft", "itl", "e2e", "delivery_delay"})
            CHECK(page.at("chimera_" + std::string(name) + "_seconds_count{execution=\"" + execution + "\"}") == 0);
    }
}

TEST_CASE("a request is counted under its kind of execution, its pieces in their buckets") {
    const profile p = sample_profile();
    execution_control control;
    control.token_counter() += 5;
    live_metrics m(p, control, "127.0.0.1", 0);
    m.begins(together);
    m.agent_starts();
    const agent_record a = sample_agent();
    m.request_ends(a, a.requests.front());
    prometheus_page page = page_of(m);
    CHECK(page.at("chimera_agents_at_work") == 1);
    CHECK(page.at("chimera_tokens_total") == 5);
    CHECK(page.at(R"(chimera_requests_total{execution="together",status="ok"})") == 1);
    CHECK(page.at(R"(chimera_ttft_seconds_sum{execution="together"})") == doctest::Approx(.02));
    CHECK(page.at(R"(chimera_ttft_seconds_bucket{execution="together",le="0.01"})") == 0);
    CHECK(page.at(R"(chimera_ttft_seconds_bucket{execution="together",le="0.025"})") == 1);
    CHECK(page.at(R"(chimera_itl_seconds_count{execution="together"})") == 4);
    CHECK(page.at(R"(chimera_itl_seconds_sum{execution="together"})") == doctest::Approx(.01));
    CHECK(page.at(R"(chimera_itl_seconds_bucket{execution="together",le="0.005"})") == 3);
    CHECK(page.at(R"(chimera_itl_seconds_bucket{execution="together",le="0.01"})") == 4);
    CHECK(page.at(R"(chimera_e2e_seconds_sum{execution="together"})") == doctest::Approx(.1));
    CHECK(page.at(R"(chimera_delivery_delay_seconds_count{execution="together"})") == 2);
    CHECK(page.at(R"(chimera_delivery_delay_seconds_sum{execution="together"})") == doctest::Approx(60e-6));

    m.begins(alone);
    m.request_ends(a, a.requests.front());
    page = page_of(m);
    CHECK(page.at("chimera_agents_at_work") == 0);
    CHECK(page.at(R"(chimera_ttft_seconds_count{execution="together"})") == 1);
    CHECK(page.at(R"(chimera_ttft_seconds_count{execution="alone"})") == 1);
    m.begins(warm_up);
    m.request_ends(a, a.requests.front());
    CHECK(page_of(m).at(R"(chimera_ttft_seconds_count{execution="warm_up"})") == 1);
}

TEST_CASE("a failed request is counted by how far it got, and measured by nothing") {
    const profile p = sample_profile();
    const execution_control control;
    live_metrics m(p, control, "127.0.0.1", 0);
    m.begins(together);
    agent_record a = sample_agent();
    request_record& r = a.requests.front();
    r.error = "reset";
    for (const int status : {0, 200, 201, 503, 404}) {
        r.status = status;
        m.request_ends(a, r);
    }
    run_record run;
    run.number = 1;
    run.concurrent.agents.push_back(a);
    m.run_done(run);
    const prometheus_page page = page_of(m);
    CHECK(page.at(R"(chimera_requests_total{execution="together",status="failed"})") == 5);
    CHECK(page.at(R"(chimera_request_errors_total{execution="together",kind="no_response"})") == 1);
    CHECK(page.at(R"(chimera_request_errors_total{execution="together",kind="broken_response"})") == 2);
    CHECK(page.at(R"(chimera_request_errors_total{execution="together",kind="http_status"})") == 2);
    CHECK(page.at(R"(chimera_ttft_seconds_count{execution="together"})") == 0);
    CHECK(page.at(R"(chimera_runs_total{status="failed"})") == 1);
}

TEST_CASE("agents on several workers feed it while it is scraped") {
    const profile p = sample_profile();
    const execution_control control;
    live_metrics m(p, control, "127.0.0.1", 0);
    m.begins(together);
    constexpr int workers = 4, requests = 500;
    std::vector<std::thread> threads;
    for (int i = 0; i < workers; ++i)
        threads.emplace_back([&m] {
            const agent_record a = sample_agent();
            m.agent_starts();
            for (int k = 0; k < requests; ++k) m.request_ends(a, a.requests.front());
            m.agent_ends();
        });
    for (int i = 0; i < 5; ++i) page_of(m);
    for (std::thread& t : threads) t.join();
    const prometheus_page page = page_of(m);
    CHECK(page.at(R"(chimera_requests_total{execution="together",status="ok"})") == workers * requests);
    CHECK(page.at(R"(chimera_itl_seconds_count{execution="together"})") == workers * requests * 4);
    CHECK(page.at("chimera_agents_at_work") == 0);
}

TEST_CASE("a port that somebody has is refused by name") {
    const profile p = sample_profile();
    const execution_control control;
    const live_metrics first(p, control, "127.0.0.1", 0);
    const std::string url = first.url();
    const int port = std::stoi(url.substr(url.rfind(':') + 1));
    std::string message;
    try {
        const live_metrics second(p, control, "127.0.0.1", port);
    } catch (const std::runtime_error& e) {
        message = e.what();
    }
    CHECK(message.find("127.0.0.1:" + std::to_string(port)) != std::string::npos);
    CHECK(message.find("in use") != std::string::npos);
    CHECK(scrape(url));
}

TEST_CASE("it ends at once") {
    const profile p = sample_profile();
    const execution_control control;
    auto m = std::make_unique<live_metrics>(p, control, "127.0.0.1", 0);
    const std::string url = m->url();
    page_of(*m);
    std::this_thread::sleep_for(std::chrono::milliseconds(50)); // it waits for the next connection
    const auto begin = std::chrono::steady_clock::now();
    m.reset();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1)); // of the 2 that it would wait
    CHECK_FALSE(scrape(url));
}
