#include "known_sweep.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

using namespace chimera::test;
using namespace chimera::host;

namespace {

std::string fault_of(const std::string& text) {
    try {
        sweep_of(text);
    } catch (const profile_error& e) {
        return e.what();
    }
    return "no fault";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("every runtime meets every configuration, each changing its part of the profile") {
    const sweep_definition s = sweep_of(two_by_two);
    REQUIRE(s.profiles.size() == 2);
    REQUIRE(s.profiles[0].size() == 2);
    CHECK(s.profiles[0][0].executor.plugin == "thread_pool");
    CHECK(s.profiles[0][0].executor.options.front().value == "2");
    CHECK(s.profiles[1][0].executor.plugin == "fiber");
    CHECK(s.profiles[1][0].executor.options.front().value == "1"); // the other plugin's options went with it
    CHECK(s.profiles[0][0].workload.agents[1].options.num_gpu == 80);
    for (const agent_spec& agent : s.profiles[1][1].workload.agents) {
        CHECK(agent.options.num_gpu == 7);
        CHECK(agent.options.num_ctx == 512); // merged, not replaced
    }
    CHECK(s.runs == 2);
    CHECK(std::get<double>(s.configs[1].parameters.at("num_gpu")) == 7);
    CHECK(s.configs[0].parameters.empty());
}

TEST_CASE("a grid is every combination, named after its values") {
    const sweep_definition s = sweep_of(base + R"(
[sweep]
[[sweep.configs]]
name = "default"
[sweep.grid]
"workload.agents.*.options.num_gpu" = [60, 80]
"workload.agents.insight.options.temperature" = [0.6, 0.8, 1]
)");
    REQUIRE(s.configs.size() == 7);
    CHECK(s.runtimes.front().name == "s");
    CHECK(s.configs[0].name == "default");
    CHECK(s.configs[1].name == "num_gpu60_temperature0.6");
    CHECK(s.configs[6].name == "num_gpu80_temperature1");
    const auto& agents = s.profiles[0][2].workload.agents;
    CHECK(agents[0].options.num_gpu == 60);
    CHECK(agents[0].options.temperature == 1.0);
    CHECK(agents[1].options.temperature == 0.8);
}

TEST_CASE("a list of a grid is named after its items") {
    const sweep_definition s = sweep_of(base + R"(
[sweep.grid]
"backend.simulator.speeds" = [[1, 0.5], [1, 1]]
)");
    REQUIRE(s.configs.size() == 2);
    CHECK(s.configs[0].name == "speeds1-0.5");
    CHECK(std::get<std::string>(s.configs[0].parameters.at("speeds")) == "1-0.5");
    CHECK(s.profiles[0][1].backend.speeds.size() == 2);
}

TEST_CASE("a parameter with different values for different agents has all of them") {
    const sweep_definition s = sweep_of(base + R"(
[sweep]
[[sweep.configs]]
name = "hetero"
set.workload.agents.collector.options = { num_gpu = 80, num_ctx = 512 }
set.workload.agents.insight.options = { num_gpu = 100, num_ctx = 512 }
)");
    CHECK(std::get<std::string>(s.configs[0].parameters.at("num_gpu")) == "80/100");
    CHECK(std::get<double>(s.configs[0].parameters.at("num_ctx")) == 512);
}

TEST_CASE("an option of only one of two agents is the server's default for the other") {
    const sweep_definition s = sweep_of(base + R"(
[sweep]
[[sweep.configs]]
name = "one_tuned"
set.workload.agents.insight.options = { top_k = 5 }
[[sweep.configs]]
name = "both"
set.workload.agents."*".options = { top_k = 5 }
)");
    CHECK(std::get<std::string>(s.configs[0].parameters.at("top_k")) == "default/5");
    CHECK(std::get<double>(s.configs[1].parameters.at("top_k")) == 5);
}

TEST_CASE("configurations share their requests unless they are told to draw their own") {
    const sweep_definition same = sweep_of(two_by_two);
    CHECK(same.profiles[0][0].measure.seed == same.profiles[0][1].measure.seed);
    std::string text = two_by_two;
    text.insert(text.find("[sweep]\n") + 8, "common_seed = false\n");
    const sweep_definition own = sweep_of(text);
    CHECK(own.profiles[0][0].measure.seed != own.profiles[0][1].measure.seed);
    CHECK(own.profiles[0][1].measure.seed == own.profiles[1][1].measure.seed); // runtimes always share
}

TEST_CASE("cells have the limits of the profile, and what a tripped one means for the sweep") {
    const sweep_definition s = sweep_of(two_by_two + "[alerts]\nttft_p95_ms = 1\nfail = true\n");
    CHECK(s.profiles[0][0].alerts.fail);
    CHECK(s.profiles[0][0].alerts.any());
}

TEST_CASE("overrides change the profile under all cells") {
    profile_overrides overrides;
    overrides.runs = 9;
    overrides.sets = {"workload.permits=1"};
    const sweep_definition s = sweep_of(two_by_two, overrides);
    CHECK(s.runs == 9);
    CHECK(s.profiles[1][1].workload.permits == 1);
}

TEST_CASE("what is wrong with a sweep is said with its place") {
    CHECK(has(fault_of(base), "has no [sweep]"));
    CHECK(has(fault_of(base + "[sweep]\nquestoin = \"?\"\n"),
              "sweep.toml:11:1: sweep.questoin: unknown key; did you mean \"question\"?"));
    CHECK(
        has(fault_of(base + "[sweep]\nuntil_ci_pct = \"small\"\n"), "sweep.until_ci_pct: is a string; give a number"));
    CHECK(has(fault_of(base + "[[sweep.runtimes]]\nset = {}\n"), "has no name"));
    CHECK(has(fault_of(base + "[[sweep.runtimes]]\nname = \"a/b\"\n"), "cannot be a file name"));
    CHECK(has(fault_of(base + "[[sweep.runtimes]]\nname = \"a\"\n[[sweep.runtimes]]\nname = \"a\"\n"), "there twice"));
    CHECK(has(fault_of(base + "[[sweep.runtimes]]\nname = \"a\"\nset.executor = { plugin = \"missing\" }\n"),
              "no such plugin"));
    CHECK(has(fault_of(base + "[[sweep.configs]]\nname = \"a\"\nset.workload.agents.nobody.model = \"m\"\n"),
              "there is no element \"nobody\""));
    CHECK(
        has(fault_of(base + "[[sweep.configs]]\nname = \"a\"\nset.workload.permits = \"many\"\n"), "workload.permits"));
    CHECK(has(fault_of(two_by_two + "set.measure.runs = 3\n"), "belong to the sweep as a whole"));
    CHECK(has(fault_of(base + "[sweep]\ngrid = { \"workload.permits\" = 1 }\n"), "needs an array"));
}

TEST_CASE("a sweep that no machine could run is refused with the limit it is over") {
    const std::string ten = " = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n";
    std::string keys;
    for (int i = 0; i < 10; ++i) keys += "\"backend.body.k" + std::to_string(i) + '"' + ten;
    CHECK(has(fault_of(base + "[sweep.grid]\n" + keys), "grid: has more than 10000 combinations"));
    std::string runtimes;
    for (int i = 0; i < 101; ++i) runtimes += "[[sweep.runtimes]]\nname = \"r" + std::to_string(i) + "\"\n";
    CHECK(has(
        fault_of(base + "[sweep]\n" + runtimes + "[sweep.grid]\n\"backend.body.a\"" + ten + "\"backend.body.b\"" + ten),
        "has 101 runtimes in 100 configurations; together 10000 combinations at most"));
    std::string deep = "a";
    for (int i = 0; i < 50'000; ++i) deep += ".a";
    CHECK(has(fault_of(base + "[sweep.grid]\n\"" + deep + "\" = [1]\n"), "has a key with more than 100 levels"));
}

TEST_CASE("a fault that all cells share is said once") {
    const std::string text = fault_of(two_by_two + "[workload]\npermits = 0\n");
    CHECK(text.find("permits") == text.rfind("permits"));
}

TEST_CASE("the sweeps of this repository have the cells that they are to have") {
    const std::map<std::string, std::size_t> cells{{"tr115", 150},
                                                   {"tr115_real", 180},
                                                   {"tr113_single_server", 15},
                                                   {"tr114_dual_server", 15},
                                                   {"tr112_single_agent", 57},
                                                   {"tr129_scaling", 48}};
    for (const auto& [name, expected] : cells) {
        CAPTURE(name);
        const std::filesystem::path file = std::filesystem::path(CHIMERA_SOURCE_DIR) / "profiles" / (name + ".toml");
        const sweep_definition s = load_sweep(file, any_plugin, {});
        CHECK(s.name == name);
        CHECK(s.runtimes.size() * s.configs.size() * static_cast<std::size_t>(s.runs) == expected);
    }
}

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
