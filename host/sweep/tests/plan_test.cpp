#include "known_sweep.hpp"
#include "sweep/plan.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace chimera::test;
using namespace chimera::host;

TEST_CASE("each round has every cell once, in an order of its own that the seed decides") {
    profile_overrides overrides;
    overrides.runs = 8;
    const sweep_definition s = sweep_of(two_by_two, overrides);
    const auto plan = plan_cells(s);
    REQUIRE(plan.size() == 2 * 2 * 8);
    std::set<std::vector<std::size_t>> orders;
    for (std::size_t round = 0; round < 8; ++round) {
        std::set<std::pair<std::size_t, std::size_t>> seen;
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < 4; ++i) {
            const sweep_cell& c = plan[round * 4 + i];
            CHECK(c.run == static_cast<int>(round) + 1);
            seen.insert({c.runtime, c.config});
            order.push_back(c.runtime * 2 + c.config);
        }
        CHECK(seen.size() == 4);
        orders.insert(order);
    }
    CHECK(orders.size() > 1);
    CHECK(plan == plan_cells(s));
    overrides.seed = 2;
    CHECK(plan != plan_cells(sweep_of(two_by_two, overrides)));
}

TEST_CASE("a pattern chooses groups or single runs") {
    const sweep_definition s = sweep_of(two_by_two);
    const auto plan = plan_cells(s);
    CHECK(matching(s, plan, "a/*").size() == 4);
    CHECK(matching(s, plan, "*/tuned").size() == 4);
    CHECK(matching(s, plan, "b/plain/run_2").size() == 1);
    CHECK(matching(s, plan, "c/*").empty());
    CHECK(cell_name(s, {1, 1, 2}) == "b/tuned/run_2");
}
