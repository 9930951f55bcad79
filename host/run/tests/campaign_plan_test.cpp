#include "run/campaign.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace chimera::host;

namespace {

profile two_agents() {
    profile p;
    p.workload.agents.resize(2);
    return p;
}

} // namespace

TEST_CASE("every run has each agent alone and all together, in an order drawn from the seed") {
    profile p = two_agents();
    p.measure.runs = 40;
    p.measure.warmup = 2;
    const auto plan = plan_executions(p);
    REQUIRE(plan.size() == 2 + 40 * 3);
    std::set<bool> first_is_together;
    for (std::size_t i = 2; i < plan.size(); i += 3) {
        std::size_t together = 0;
        for (std::size_t k = i; k < i + 3; ++k) {
            CHECK(plan[k].run == static_cast<int>((i - 2) / 3 + 1));
            together += plan[k].concurrent;
        }
        CHECK(together == 1);
        first_is_together.insert(plan[i].concurrent);
    }
    CHECK(first_is_together.size() == 2); // drift hits both alike
    const auto again = plan_executions(p);
    for (std::size_t i = 0; i < plan.size(); ++i) CHECK(plan[i].concurrent == again[i].concurrent);
}

TEST_CASE("without a baseline a run is one execution") {
    profile p = two_agents();
    p.measure.runs = 3;
    p.measure.warmup = 0;
    p.measure.baseline = false;
    CHECK(plan_executions(p).size() == 3);
}
