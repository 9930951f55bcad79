// The figures against a server whose truth is known.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace chimera::test;

namespace {

// Plain calls, so that an agent's length is its reply's: no prompt time, no model to load.
const char* const calls_profile = R"(
name = "truth"
[executor]
plugin = "thread_pool"
[transport]
plugin = "socket"
[backend]
api = "ollama"
[backend.simulator]
load_ms = 0
prefill_tokens_per_s = 0
decode_tokens_per_s = 100
reply_tokens_min = 1000
reply_tokens_max = 1000
[workload]
kind = "calls"
prompts = ["count"]
[[workload.agents]]
id = "short"
options = { num_predict = 50 }
[[workload.agents]]
id = "long"
options = { num_predict = 100 }
[measure]
runs = 2
warmup = 0
)";

outcome run(const temporary_folder& folder, std::vector<std::string> arguments) {
    return run_profile(folder, folder.write("truth.toml", calls_profile), std::move(arguments));
}

} // namespace

TEST_CASE("with unequal agents the estimate and the true efficiency are the imbalance bound") {
    const temporary_folder folder;
    const outcome o = run(folder, {});
    REQUIRE_MESSAGE(o.status == 0, o.err);
    const double bound = o.mean("imbalance_bound_pct");
    CHECK(bound == doctest::Approx(75).epsilon(0.02)); // (50 + 100) / (2 x 100)
    CHECK(o.mean("estimated_efficiency_pct") == doctest::Approx(bound).epsilon(0.02));
    CHECK(o.mean("efficiency_pct") == doctest::Approx(bound).epsilon(0.02));
    CHECK(o.mean("imbalance_pct") == doctest::Approx(25).epsilon(0.04));
}

TEST_CASE("contention at the server is seen by the true efficiency and not by the estimate") {
    const temporary_folder folder;
    const outcome o = run(folder, {"--set", "workload.agents.short.options.num_predict=100", "--set",
                                   "backend.simulator.shared_gpu=true", "--set", "backend.simulator.contention=1"});
    REQUIRE_MESSAGE(o.status == 0, o.err);
    CHECK(o.mean("estimated_efficiency_pct") > 97);
    CHECK(o.mean("efficiency_pct") == doctest::Approx(50).epsilon(0.03)); // both decode at half speed
    CHECK(o.mean("inflation_pct") == doctest::Approx(50).epsilon(0.05));
    CHECK(o.json()["serialization"]["verdict"] == "parallel");
}

TEST_CASE("the split of the lost time adds up exactly") {
    const temporary_folder folder;
    const outcome o = run(folder, {});
    REQUIRE_MESSAGE(o.status == 0, o.err);
    const double lost = 100 - o.mean("efficiency_pct");
    CHECK(o.mean("late_start_pct") + o.mean("imbalance_pct") + o.mean("inflation_pct") == doctest::Approx(lost));
    CHECK(o.mean("late_permit_pct") + o.mean("late_blocked_pct") + o.mean("late_spawn_pct") ==
          doctest::Approx(o.mean("late_start_pct")));
}

TEST_CASE("tokens, rates and latencies are as the server was set") {
    const temporary_folder folder;
    const outcome o = run(folder, {"--set", "workload.agents.short.options.num_predict=100"});
    REQUIRE_MESSAGE(o.status == 0, o.err);
    CHECK(o.mean("tokens") == 100);
    CHECK(o.mean("tokens_per_second") == doctest::Approx(100).epsilon(0.03));
    CHECK(o.mean("itl_ms") == doctest::Approx(10).epsilon(0.03));
    const auto j = o.json();
    CHECK(j["metrics"]["itl_ms"]["n"] == 2 * 2 * 99);
    CHECK(j["schema_version"] == 3);
    CHECK(j["runs"] == 2);
}

TEST_CASE("runs are added to a result folder and never written over") {
    const temporary_folder folder;
    for (int i = 0; i < 2; ++i)
        REQUIRE(run(folder, {"--runs", "1", "--set", "workload.agents.long.options.num_predict=5", "--set",
                             "workload.agents.short.options.num_predict=5"})
                    .status == 0);
    int folders = 0, runs = 0;
    for (const auto& config : std::filesystem::directory_iterator(folder.path() / "truth")) {
        ++folders;
        CHECK(std::filesystem::exists(config.path() / "profile.toml"));
        CHECK(std::filesystem::exists(config.path() / "summary.json"));
        for (const char* name : {"run_1", "run_2"})
            runs += std::filesystem::exists(config.path() / name / "metrics.json");
        CHECK(std::filesystem::exists(config.path() / "run_1" / "requests.jsonl"));
        const std::string texts = content_of(config.path() / "run_1" / "texts.jsonl");
        CHECK(contains(texts, R"("execution":"together","agent":"long","call":"call_0")"));
    }
    CHECK(folders == 1);
    CHECK(runs == 2);
}
