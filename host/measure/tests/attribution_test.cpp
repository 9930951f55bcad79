#include "known_runs.hpp"
#include "measure/attribution.hpp"

#include <doctest/doctest.h>

using namespace chimera::test;
using namespace chimera::host;

namespace {

run_record run_of(execution_record together, double alone_a, double alone_b) {
    run_record run;
    run.number = 1;
    run.baseline.push_back(execution(alone_a, {agent("a", 0, 0, alone_a, 0)}));
    run.baseline.push_back(execution(alone_b, {agent("b", 0, 0, alone_b, 0)}));
    run.concurrent = std::move(together);
    return run;
}

void check_exact(const run_record& run) {
    const run_figures f = figures_of(run);
    const double lost = f.loss.agent_time * (1 - *f.efficiency_pct / 100);
    CHECK(f.loss.late_start + f.loss.imbalance + *f.loss.inflation == doctest::Approx(lost));
    CHECK(f.loss.late_permit + f.loss.late_blocked + f.loss.late_spawn == doctest::Approx(f.loss.late_start));
    const path_split& stages = *f.loss.inflation_by_stage;
    CHECK(stages.client() + stages.server == doctest::Approx(*f.loss.inflation));
}

} // namespace

TEST_CASE("two equal agents side by side lose nothing") {
    const run_record run = run_of(execution(100, {agent("a", 0, 0, 100, 5), agent("b", 0, 0, 100, 5)}), 100, 100);
    const run_figures f = figures_of(run);
    CHECK(*f.efficiency_pct == doctest::Approx(100));
    CHECK(*f.speedup == doctest::Approx(2));
    CHECK_FALSE(f.contention);
    check_exact(run);
}

TEST_CASE("agents of unequal length lose exactly the imbalance") {
    const run_record run = run_of(execution(100, {agent("a", 0, 0, 60, 5), agent("b", 0, 0, 100, 5)}), 60, 100);
    const run_figures f = figures_of(run);
    CHECK(f.estimated_efficiency_pct == doctest::Approx(80));
    CHECK(*f.efficiency_pct == doctest::Approx(80));
    CHECK(f.imbalance_bound_pct == doctest::Approx(80));
    CHECK(f.loss.percent(f.loss.imbalance) == doctest::Approx(20));
    CHECK(*f.loss.inflation == doctest::Approx(0));
    check_exact(run);
}

TEST_CASE("contention is inflation, and the estimate does not see it") {
    const run_record run = run_of(execution(200, {agent("a", 0, 0, 200, 5), agent("b", 0, 0, 200, 5)}), 100, 100);
    const run_figures f = figures_of(run);
    CHECK(f.estimated_efficiency_pct == doctest::Approx(100));
    CHECK(*f.efficiency_pct == doctest::Approx(50));
    CHECK(*f.inflation_ratio == doctest::Approx(2));
    CHECK(f.contention);
    check_exact(run);
}

TEST_CASE("an agent that waits for its permit is a late start by permit, and no contention") {
    const run_record run = run_of(execution(200, {agent("a", 0, 0, 100, 5), agent("b", 0, 100, 200, 105)}), 100, 100);
    const run_figures f = figures_of(run);
    CHECK(f.loss.percent(f.loss.late_start) == doctest::Approx(50));
    CHECK(f.loss.percent(f.loss.late_permit) == doctest::Approx(50));
    CHECK(f.loss.percent(f.loss.late_blocked) == doctest::Approx(0));
    CHECK_FALSE(f.contention);
    check_exact(run);
}

TEST_CASE("an agent that is not polled because another one's poll holds the worker is a late start by blocking") {
    execution_record x = execution(200, {agent("a", 0, 0, 100, 5), agent("b", 100, 100, 200, 105)});
    x.agents[0].long_polls.push_back({at(0), at(100), agent_stage::body});
    const run_record run = run_of(std::move(x), 100, 100);
    const run_figures f = figures_of(run);
    CHECK(f.loss.percent(f.loss.late_blocked) == doctest::Approx(50));
    CHECK(f.loss.percent(f.loss.late_permit) == doctest::Approx(0));
    check_exact(run);
}

TEST_CASE("a permit that was granted while a worker was held is a wait for the permit and then a blocked worker") {
    execution_record x = execution(200, {agent("a", 0, 0, 100, 5), agent("b", 0, 100, 200, 105)});
    x.agents[1].granted = at(60);
    x.agents[0].long_polls.push_back({at(50), at(95), agent_stage::body});
    const run_record run = run_of(std::move(x), 100, 100);
    const run_figures f = figures_of(run);
    CHECK(f.loss.percent(f.loss.late_permit) == doctest::Approx(30));
    CHECK(f.loss.percent(f.loss.late_blocked) == doctest::Approx(17.5)); // 60 -> 95
    CHECK(f.loss.percent(f.loss.late_spawn) == doctest::Approx(2.5));
    check_exact(run);
}

TEST_CASE("an agent that starts late for no known reason is spawn and join") {
    const run_record run = run_of(execution(200, {agent("a", 0, 0, 100, 5), agent("b", 100, 100, 200, 105)}), 100, 100);
    const run_figures f = figures_of(run);
    CHECK(f.loss.percent(f.loss.late_spawn) == doctest::Approx(50));
    check_exact(run);
}

TEST_CASE("without a baseline inflation and efficiency are not measured") {
    run_record run;
    run.concurrent = execution(100, {agent("a", 0, 0, 60, 5), agent("b", 0, 0, 100, 5)});
    const run_figures f = figures_of(run);
    CHECK_FALSE(f.efficiency_pct.has_value());
    CHECK_FALSE(f.speedup.has_value());
    CHECK_FALSE(f.loss.inflation.has_value());
    CHECK(f.estimated_efficiency_pct == doctest::Approx(80));
    CHECK(f.loss.percent(f.loss.imbalance) == doctest::Approx(20));
}
