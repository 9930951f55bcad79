// Every part of the lost time against its truth, each within 1 % of the agent-time.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace chimera::test;

namespace {

// Two agents that each take 100 tokens at 100 tok/s: alone, 1 s.
const char* const two_seconds = R"(
name = "attribution"
[executor]
plugin = "thread_pool"
[transport]
plugin = "socket"
[backend.simulator]
load_ms = 0
prefill_tokens_per_s = 0
decode_tokens_per_s = 100
reply_tokens_min = 100
reply_tokens_max = 100
[workload]
kind = "calls"
prompts = ["count"]
[[workload.agents]]
id = "a"
[[workload.agents]]
id = "b"
[measure]
runs = 1
warmup = 0
)";

constexpr const char* parts[] = {"late_permit_pct",         "late_blocked_pct",         "late_spawn_pct",
                                 "imbalance_pct",           "inflation_scheduling_pct", "inflation_blocked_pct",
                                 "inflation_transport_pct", "inflation_parsing_pct",    "inflation_work_pct",
                                 "inflation_server_pct"};

outcome run(std::vector<std::string> arguments) {
    const temporary_folder folder;
    std::vector<std::string> all;
    for (const std::string& set : arguments) all.insert(all.end(), {"--set", set});
    outcome o = run_profile(folder, folder.write("attribution.toml", two_seconds), all);
    REQUIRE_MESSAGE(o.status == 0, o.err);
    return o;
}

using truth = std::vector<std::pair<std::string, double>>;

/// The named parts have these values, every other part is 0, and their sum is the lost efficiency.
void check_parts(const outcome& o, const truth& expected) {
    double sum = 0;
    for (const char* part : parts) {
        double wanted = 0;
        for (const auto& [name, value] : expected)
            if (name == part) wanted = value;
        const double got = o.mean(part);
        CHECK_MESSAGE(std::abs(got - wanted) < 1, std::string(part) << ": " << got << " %, truth " << wanted << " %");
        sum += got;
    }
    CHECK(sum == doctest::Approx(100 - o.mean("efficiency_pct")).epsilon(1e-9));
}

std::string delaying(int ms) {
    return "executor={ plugin = \"" CHIMERA_TEST_PLUGIN_DIR "/delaying_executor.so\", options = { delay_ms = " +
           std::to_string(ms) + " } }";
}

} // namespace

TEST_CASE("nothing is lost where nothing is wrong") { check_parts(run({}), {}); }

TEST_CASE("a permit too few is a late start by permit") {
    check_parts(run({"workload.permits=1"}), {{"late_permit_pct", 50}});
}

TEST_CASE("an agent half as long is imbalance") {
    check_parts(run({"workload.agents.a.options.num_predict=50"}), {{"imbalance_pct", 25}});
}

TEST_CASE("a GPU that halves its speed for two is contention at the server") {
    check_parts(run({"backend.simulator.shared_gpu=true", "backend.simulator.contention=1"}),
                {{"inflation_server_pct", 50}});
}

// Alone, an agent takes 1 s. The executor polls 50 ms after each cause: before the first poll (a late start), before
// the poll that sends, and before the poll of the last piece, which comes 0 to 50 ms late, as it may be read with the
// piece before it. So the wall time is known up to 50 ms, and says what was lost; scheduling lost what the rest did
// not.
TEST_CASE("an executor that polls late is a late start of spawning and inflation by scheduling") {
    const outcome o = run({delaying(50)});
    const double wall = o.mean("wall_ms"), lost = 100 - 1000 / wall * 100, spawn = 50 / wall * 100;
    CHECK(wall > 1000 + 2 * 50 - 10);
    CHECK(wall < 1000 + 3 * 50 + 20);
    check_parts(o, {{"late_spawn_pct", spawn}, {"inflation_scheduling_pct", lost - spawn}});
    CHECK(o.json()["self_check"]["client_limited"].size() > 0);
}

TEST_CASE("delay and contention together are told apart") {
    const outcome o = run({delaying(50), "backend.simulator.shared_gpu=true", "backend.simulator.contention=1"});
    const double wall = o.mean("wall_ms"), lost = 100 - 1000 / wall * 100, spawn = 50 / wall * 100;
    const double server = 1000 / wall * 100; // 2 s in place of 1 s for both
    CHECK(wall > 2000 + 2 * 50 - 10);
    CHECK(wall < 2000 + 3 * 50 + 30);
    check_parts(o, {{"late_spawn_pct", spawn},
                    {"inflation_server_pct", server},
                    {"inflation_scheduling_pct", lost - server - spawn}});
}

TEST_CASE("a worker that is held by another agent's poll is a late start by blocking") {
    const outcome o = run({"executor={ plugin = \"async_std_bridge\", options = { workers = 1, await = \"block\" } }",
                           "foreign={ plugin = \"thread_pool\" }"});
    check_parts(o, {{"late_blocked_pct", 50}});
    CHECK(o.json()["serialization"]["cause"] == "blocked-executor");
}
