#include "live/alert_watch.hpp"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace chimera::host;

namespace {

/// Collects what is logged while it lives.
class captured_log {
  public:
    captured_log() : before_(spdlog::default_logger()) {
        spdlog::set_default_logger(
            std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
    }
    ~captured_log() { spdlog::set_default_logger(before_); }
    std::string text() const { return text_.str(); }
    std::size_t lines() const { return static_cast<std::size_t>(std::ranges::count(text(), '\n')); }

  private:
    std::shared_ptr<spdlog::logger> before_;
    std::ostringstream text_;
};

void end_request(alert_watch& watch, double ttft_ms, bool good = true) {
    agent_record a;
    request_record r;
    r.dispatched = 1'000'000'000;
    r.first_token = r.dispatched + static_cast<nanoseconds_t>(ttft_ms * 1e6);
    r.done = r.first_token + 1;
    if (!good) r.error = "reset";
    r.chunks = 2;
    a.chunks = {{r.first_token, 1'000'000, 0, 0, 1}, {r.first_token + 50'000'000, 3'000'000, 500'000, 0, 1}};
    a.requests.push_back(r);
    watch.request_ends(a, a.requests.front());
}

const planned_execution together{1, {0, 1}, true};

} // namespace

TEST_CASE("it warns once, when too large a part of enough samples lies beyond the limit") {
    const captured_log log;
    alert_spec limits;
    limits.ttft_p95_ms = 100;
    alert_watch watch(limits);
    watch.begins(together);
    for (int i = 0; i < 18; ++i) end_request(watch, 99);
    end_request(watch, 101);
    CHECK(log.text().empty()); // one of 19: too few samples
    end_request(watch, 99);
    CHECK(log.text().empty()); // 5 % of 20 may be
    end_request(watch, 101);
    CHECK(log.text().find("alert ttft_p95_ms: so far 2 of 21 samples are above 100 ms") != std::string::npos);
    for (int i = 0; i < 50; ++i) end_request(watch, 101);
    CHECK(log.lines() == 1);
}

TEST_CASE("only what counts in the summary counts") {
    const captured_log log;
    alert_spec limits;
    limits.ttft_p95_ms = limits.e2e_p95_ms = limits.error_rate_pct = 1;
    alert_watch watch(limits);
    watch.begins({0, {0, 1}, true});
    for (int i = 0; i < 50; ++i) end_request(watch, 100, i % 2 == 0);
    CHECK(log.text().empty()); // a warm-up
    watch.begins({1, {0}, false});
    for (int i = 0; i < 50; ++i) end_request(watch, 100);
    CHECK(log.text().empty()); // an agent alone
    for (int i = 0; i < 2; ++i) end_request(watch, 100, false);
    CHECK(log.text().find("alert error_rate_pct: so far 1 of 51 requests failed") != std::string::npos);
    CHECK(log.lines() == 1);
}

TEST_CASE("each piece and each gap of a response is a sample") {
    const captured_log log;
    alert_spec limits;
    limits.client_delay_p99_ms = 2; // one piece of two took 3.5 ms
    limits.itl_p99_ms = 49;         // one gap for each request, 50 ms
    alert_watch watch(limits);
    watch.begins(together);
    for (int i = 0; i < 49; ++i) end_request(watch, 1);
    CHECK(log.text().empty());
    end_request(watch, 1);
    CHECK(log.text().find("alert client_delay_p99_ms: so far 50 of 100 samples are above 2 ms") != std::string::npos);
    CHECK(log.text().find("itl") == std::string::npos);
    for (int i = 0; i < 50; ++i) end_request(watch, 1);
    CHECK(log.text().find("alert itl_p99_ms: so far 100 of 100") != std::string::npos);
}

TEST_CASE("agents on several workers make one warning") {
    const captured_log log;
    alert_spec limits;
    limits.ttft_p99_ms = 1;
    alert_watch watch(limits);
    watch.begins(together);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&watch] {
            for (int k = 0; k < 500; ++k) end_request(watch, 2);
        });
    for (std::thread& t : threads) t.join();
    CHECK(log.lines() == 1);
}

TEST_CASE("an efficiency that is too low is told after a run, once") {
    const captured_log log;
    alert_spec limits;
    limits.efficiency_min_pct = 90;
    alert_watch watch(limits);
    const alert_rule& rule = *std::ranges::find(alert_rules(), "efficiency_min_pct", &alert_rule::name);
    watch.run_done({{&rule, 90, 95.0, 1, false}});
    CHECK(log.text().empty());
    watch.run_done({{&rule, 90, 50.123, 2, true}});
    watch.run_done({{&rule, 90, 50.123, 3, true}});
    CHECK(log.text().find("alert efficiency_min_pct: so far 50.12 %; the limit is 90") != std::string::npos);
    CHECK(log.lines() == 1);
}
