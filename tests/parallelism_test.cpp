// The project's main question: does an executor run agents side by side, or one after the other? Each profile runs as a
// user runs it, at a fraction of its length.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace chimera::test;

namespace {

// Short, equal replies: 60 tokens at 200 tok/s. Bounds are wide enough for a loaded machine and sanitizers, and far
// from the other verdict.
const std::vector<std::string> equal_lengths{"--set",    "backend.simulator.reply_tokens_min=60",
                                             "--set",    "backend.simulator.reply_tokens_max=60",
                                             "--set",    "backend.simulator.decode_tokens_per_s=200",
                                             "--set",    "backend.simulator.load_ms=0",
                                             "--warmup", "0",
                                             "--runs",   "1"};

std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.end(), equal_lengths.begin(), equal_lengths.end());
    return more;
}

struct bounds {
    double low, high;
};
constexpr bounds parallel{96, 102}, between{60, 96}, halved{48.5, 51.5};

outcome run_until(bounds efficiency, const temporary_folder& results, const std::string& profile,
                  const std::vector<std::string>& arguments) {
    return run_for_efficiency(efficiency.low, efficiency.high,
                              [&] { return run_profile(results, profile, arguments); });
}

void check_parallel(const outcome& o) {
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(o.json()["serialization"]["verdict"] == "parallel");
    CHECK(o.json()["errors"].empty());
    CHECK(o.mean("efficiency_pct") > parallel.low);
    CHECK(o.mean("efficiency_pct") < parallel.high);
}

void check_serialized(const outcome& o, const char* cause) {
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(o.json()["serialization"]["verdict"] == "serialized");
    CHECK(o.json()["serialization"]["cause"] == cause);
    CHECK(o.mean("efficiency_pct") > halved.low);
    CHECK(o.mean("efficiency_pct") < halved.high);
}

/// False, with a message, where a runtime of examples/rust was not built.
bool is_built(const std::string& executor) {
    if (std::filesystem::exists(CHIMERA_PLUGIN_DIR "/" + executor + ".so")) return true;
    MESSAGE(executor << " is not built here (examples/rust needs cargo and Debian's crates): left out");
    return false;
}

} // namespace

TEST_CASE("the majority of up to three runs decides, so a defect that shows in two of three is seen") {
    const auto decided = [](std::vector<double> efficiencies) {
        std::size_t runs = 0;
        const outcome o = run_for_efficiency(90, 110, [&] {
            const std::string mean = std::to_string(efficiencies.at(runs++));
            return outcome{0, R"({"metrics":{"efficiency_pct":{"n":1,"mean":)" + mean + "}}}", {}, {}};
        });
        return std::pair(o.mean("efficiency_pct") > 90, runs);
    };
    CHECK(decided({100, 99, 50}) == std::pair(true, std::size_t{2}));
    CHECK(decided({50, 100, 99}) == std::pair(true, std::size_t{3}));
    CHECK(decided({50, 100, 51}) == std::pair(false, std::size_t{3}));
    CHECK(decided({100, 50, 51}) == std::pair(false, std::size_t{3}));
    CHECK(decided({50, 51, 100}) == std::pair(false, std::size_t{2}));
}

TEST_CASE("every executor runs two agents side by side on every transport") {
    const temporary_folder results;
    const std::string one_worker = "{ workers = 1 }";
    const std::vector<std::pair<std::string, std::string>> executors{
        {"thread_pool", one_worker}, {"uv_pinned", one_worker}, {"fiber", one_worker},
        {"epoll_c", "{}"},           {"asio", one_worker},      {"tokio", "{ workers = 2 }"},
        {"smol", one_worker},        {"async_std", one_worker}, {"tokio", "{ flavor = \"current_thread\" }"}};
    for (const auto& [executor, options] : executors) {
        if (!is_built(executor)) continue;
        for (const std::string transport : {"curl", "socket"}) {
            CAPTURE(executor);
            CAPTURE(options);
            CAPTURE(transport);
            check_parallel(run_until(parallel, results, "smol1kb",
                                     with({"--set", "executor.plugin=" + executor, "--set",
                                           "executor.options=" + options, "--set", "transport.plugin=" + transport})));
        }
    }
    CHECK(simulators_running() == 0);
}

TEST_CASE("real runtimes on a foreign reactor: awaited they run side by side, blocked one after the other") {
    const temporary_folder results;
    for (const std::string profile : {"real_async_std", "real_smol_on_tokio"}) {
        if (!is_built("tokio")) continue;
        CAPTURE(profile);
        check_parallel(run_until(parallel, results, profile, with({"--set", "executor.options.await=wake"})));
        check_serialized(run_until(halved, results, profile, with({"--set", "executor.options.await=block"})),
                         "blocked-executor");
    }
}

TEST_CASE("a blocked worker is found and named") {
    const temporary_folder results;
    for (const std::string transport : {"curl", "socket"}) {
        CAPTURE(transport);
        const outcome o = run_until(halved, results, "async_std", with({"--set", "transport.plugin=" + transport}));
        check_serialized(o, "blocked-executor");
        CHECK(o.json()["serialization"]["evidence"].get<std::string>().find("async_std_bridge") != std::string::npos);
    }
}

TEST_CASE("what cures a blocked worker") {
    const temporary_folder results;
    SUBCASE("a second worker") {
        check_parallel(run_until(parallel, results, "async_std", with({"--set", "executor.options.workers=2"})));
    }
    SUBCASE("a yield for each token, though each still waits while the other waits for its first") {
        const outcome o = run_until(between, results, "async_std", with({"--set", "executor.options.yield_every=1"}));
        CHECK_MESSAGE(o.status == 0, o.err);
        CHECK(o.json()["serialization"]["verdict"] == "parallel");
        CHECK(o.mean("efficiency_pct") > between.low);
        CHECK(o.mean("efficiency_pct") < between.high);
    }
    SUBCASE("waking instead of blocking") { check_parallel(run_until(parallel, results, "async_std_fixed", with({}))); }
    SUBCASE("a channel to the foreign runtime") {
        check_parallel(run_until(parallel, results, "async_std", with({"--set", "executor.options.await=channel"})));
    }
    SUBCASE("a channel to a foreign runtime whose reactor is its own") {
        check_parallel(
            run_until(parallel, results, "async_std",
                      with({"--set", "executor.options.await=channel", "--set", "foreign.plugin=uv_pinned"})));
    }
}

TEST_CASE("one permit for two agents is told apart from a blocked worker") {
    const temporary_folder results;
    const outcome o = run_until(halved, results, "async_std_one_permit", with({}));
    check_serialized(o, "permit");
    CHECK(o.mean("estimated_efficiency_pct") == doctest::Approx(50).epsilon(0.03));
    CHECK(o.mean("late_permit_pct") == doctest::Approx(50).epsilon(0.03));
}

TEST_CASE("a queue at the server is told apart from the client") {
    const temporary_folder results;
    const outcome o = run_profile(
        results, "smol1kb", with({"--set", "backend.simulator.instances=1", "--set", "backend.simulator.slots=1"}));
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(o.json()["serialization"]["verdict"] == "serialized");
    CHECK(o.json()["serialization"]["cause"] == "server-queue");
}

TEST_CASE("every other profile of the repository runs without an error") {
    const temporary_folder results;
    for (const char* name : {"tokio_default", "tokio_localset", "smol", "smol1kb_fill", "openai", "single_agent",
                             "real_tokio", "real_tokio_localset", "real_smol", "real_asyncio"}) {
        const bool asyncio = std::string(name) == "real_asyncio";
        if (std::string(name).starts_with("real_") && !is_built(asyncio ? "python_asyncio" : "tokio")) continue;
        CAPTURE(name);
        const outcome o = run_profile(results, name, with({}));
        CHECK_MESSAGE(o.status == 0, o.err);
        CHECK(o.json()["errors"].empty());
        CHECK(o.json()["profile"] == name);
    }
}

TEST_CASE("all agents of a template work at once, or as many as there are permits") {
    const temporary_folder results;
    const auto eight = [&](const std::string& permits) {
        return run_profile(results, "smol1kb",
                           with({"--set", "workload.agents={ count = 8, template = { id = \"agent\" } }", "--set",
                                 "workload.permits=" + permits, "--set", "measure.baseline=false"}));
    };
    const outcome all = eight("0");
    REQUIRE_MESSAGE(all.status == 0, all.err);
    CHECK(all.json()["agents"].size() == 8);
    CHECK(all.json()["agents"][7] == "agent_8");
    CHECK(all.mean("late_permit_pct") < 5);
    const outcome two = eight("2");
    CHECK_MESSAGE(two.status == 0, two.err);
    CHECK(two.mean("late_permit_pct") > 50); // three quarters of the time the last agents wait
}
