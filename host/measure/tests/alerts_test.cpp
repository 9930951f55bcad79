#include "measure/alerts.hpp"

#include "known_runs.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

/// Two agents with a TTFT of 30 and 70 ms and an E2E of 90 ms, which take twice 80 ms alone.
run_record known_run() {
    run_record run;
    run.number = 1;
    run.baseline = {execution(80, {agent("a", 0, 0, 80, 30)}), execution(80, {agent("b", 0, 0, 80, 70)})};
    run.concurrent = execution(100, {agent("a", 0, 10, 100, 40), agent("b", 0, 10, 100, 80)});
    return run;
}

std::vector<alert_outcome> judged(const alert_spec& limits, const std::vector<run_record>& runs) {
    return judge_alerts(limits, runs, metrics_of(runs));
}

} // namespace

TEST_CASE("a limit that is not set is not judged") { CHECK(judged({}, {known_run()}).empty()); }

TEST_CASE("an alert trips when its figure lies beyond the limit, and only then") {
    alert_spec limits;
    limits.ttft_p99_ms = 69.6; // p99 of 30 and 70 by linear interpolation
    limits.e2e_p95_ms = 89.9;
    limits.efficiency_min_pct = 80.1;
    auto outcomes = judged(limits, {known_run()});
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].rule->name == "ttft_p99_ms");
    CHECK(*outcomes[0].value == doctest::Approx(69.6));
    CHECK(outcomes[0].samples == 2);
    CHECK(outcomes[1].rule->name == "e2e_p95_ms");
    CHECK(outcomes[1].tripped);
    CHECK(outcomes[2].rule->name == "efficiency_min_pct");
    CHECK(*outcomes[2].value == doctest::Approx(80));
    CHECK(outcomes[2].tripped);

    limits.ttft_p99_ms = 69.7;
    limits.e2e_p95_ms = 90.1;
    limits.efficiency_min_pct = 79.9;
    for (const alert_outcome& o : judged(limits, {known_run()})) CHECK_FALSE(o.tripped);
}

TEST_CASE("throughput and memory have limits too") {
    alert_spec limits;
    limits.throughput_min_tok_s = 1e9;
    limits.peak_memory_max_mib = 10;
    limits.memory_growth_max_mib_per_h = 1;
    run_record run = known_run();
    run.concurrent.cost.peak_memory_bytes = 20U << 20U;
    const auto outcomes = judged(limits, {run});
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].rule->name == "throughput_min_tok_s");
    CHECK(outcomes[0].tripped);
    CHECK(outcomes[1].rule->name == "peak_memory_max_mib");
    CHECK(*outcomes[1].value == doctest::Approx(20));
    CHECK(outcomes[1].tripped);
    CHECK_FALSE(outcomes[2].value); // it was not sampled
    CHECK_FALSE(outcomes[2].tripped);
}

TEST_CASE("the error rate counts the requests of all executions") {
    alert_spec limits;
    limits.error_rate_pct = 24.9;
    run_record run = known_run();
    run.baseline[1].agents[0].requests[0].error = "reset";
    const auto outcomes = judged(limits, {run});
    REQUIRE(outcomes.size() == 1);
    CHECK(*outcomes[0].value == doctest::Approx(25));
    CHECK(outcomes[0].samples == 4);
    CHECK(outcomes[0].tripped);
    CHECK_FALSE(judged(limits, {known_run()})[0].tripped);
}

TEST_CASE("what was not measured does not trip") {
    alert_spec limits;
    limits.ttft_p95_ms = limits.itl_p99_ms = limits.client_delay_p99_ms = limits.efficiency_min_pct = 1;
    for (const alert_outcome& o : judged(limits, {})) {
        CHECK_FALSE(o.value);
        CHECK_FALSE(o.tripped);
    }
}
