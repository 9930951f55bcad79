// Agents that pause between their calls, on every executor, also on one without a reactor of its own.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <string>

using namespace chimera::test;

namespace {

// One worker for two agents: a pause that held it would double the time.
const char* const thinking_profile = R"(
name = "thinking"
[executor]
plugin = "thread_pool"
options = { workers = 1 }
[transport]
plugin = "socket"
[backend]
api = "ollama"
[backend.simulator]
load_ms = 0
prefill_tokens_per_s = 0
decode_tokens_per_s = 200
reply_tokens_min = 10
reply_tokens_max = 10
[workload]
kind = "calls"
calls_per_agent = 3
think_ms = 150
[measure]
runs = 1
warmup = 0
)";

const std::vector<std::string> over_thread_pool{"--set", "foreign.plugin=thread_pool", "--set",
                                                "executor.plugin=async_std_bridge"};

outcome run(const temporary_folder& folder, std::vector<std::string> arguments) {
    return run_profile(folder, folder.write("thinking.toml", thinking_profile), std::move(arguments));
}

/// Every request's pause before it, as it was meant and as it was.
void check_pauses(const temporary_folder& folder) {
    std::map<std::string, std::int64_t> done;
    int pauses = 0;
    for (const auto& config : std::filesystem::directory_iterator(folder / "thinking")) {
        std::ifstream lines(config.path() / "run_1" / "requests.jsonl");
        for (std::string line; std::getline(lines, line);) {
            const auto r = nlohmann::json::parse(line);
            const auto who = r["execution"].get<std::string>() + r["agent"].get<std::string>();
            const auto intended = r["intended_ns"].get<std::int64_t>();
            if (const auto before = done.find(who); before != done.end()) {
                ++pauses;
                CHECK(intended - before->second >= 150'000'000);
                CHECK(intended - before->second < 175'000'000);
                CHECK(r["dispatched_ns"].get<std::int64_t>() >= intended);
            }
            done[who] = r["done_ns"].get<std::int64_t>();
        }
    }
    CHECK(pauses == 2 * 2 * 2); // two agents, alone and together, before their second and their third call
}

} // namespace

TEST_CASE("agents pause between their calls on every executor, hold no worker, and lose nothing by it") {
    std::vector<std::vector<std::string>> executors{{"--set", "executor.plugin=thread_pool"},
                                                    {"--set", "executor.plugin=uv_pinned"},
                                                    {"--set", "executor.plugin=fiber"}};
    for (const char* await : {"block", "wake", "channel"}) {
        executors.push_back(over_thread_pool);
        executors.back().insert(executors.back().end(), {"--set", std::string("executor.options.await=") + await});
    }
    for (const auto& executor : executors) {
        CAPTURE(executor.back());
        const temporary_folder folder;
        // Only await = "block" serializes the calls, as it is meant to.
        const double least = executor.back() == "executor.options.await=block" ? 0 : 85;
        const outcome o = run_for_efficiency(least, 200, [&] { return run(folder, executor); });
        REQUIRE_MESSAGE(o.status == 0, o.err);
        check_pauses(folder);
        CHECK(o.mean("wall_ms") > 2 * 150 + 3 * 50 - 20);
        CHECK(o.mean("efficiency_pct") > least);
    }
}

TEST_CASE("a time limit ends agents that think") {
    const temporary_folder folder;
    const outcome o = run(folder, {"--set", "workload.think_ms=60000", "--set", "measure.time_limit_s=1"});
    CHECK(o.status == 1);
    CHECK(o.took < std::chrono::seconds(10));
}
