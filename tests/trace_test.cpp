// `--trace`: the failure that the project began with can be seen in the file.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <map>
#include <thread>

using namespace chimera::test;
using nlohmann::json;

namespace {

const std::vector<std::string> short_replies{"--set",    "backend.simulator.reply_tokens_min=60",
                                             "--set",    "backend.simulator.reply_tokens_max=60",
                                             "--set",    "backend.simulator.decode_tokens_per_s=200",
                                             "--set",    "backend.simulator.load_ms=0",
                                             "--warmup", "0",
                                             "--runs",   "1"};

std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.begin(), short_replies.begin(), short_replies.end());
    return more;
}

json read(const std::filesystem::path& file) {
    std::ifstream in(file);
    json parsed = json::parse(in, nullptr, false);
    REQUIRE_FALSE(parsed.is_discarded());
    return parsed;
}

/// The slices of one process of a trace, with the names of their tracks.
struct slice {
    int tid;
    std::string track, category, name;
    double begin, end;
};
std::vector<slice> slices_of(const json& trace, const std::string& process) {
    std::map<int, std::string> tracks;
    int pid = 0;
    for (const json& e : trace["traceEvents"]) {
        if (e["name"] == "process_name" && e["args"]["name"] == process) pid = e["pid"];
        if (e["name"] == "thread_name") tracks[e["tid"]] = e["args"]["name"];
    }
    REQUIRE(pid != 0);
    std::vector<slice> found;
    for (const json& e : trace["traceEvents"])
        if (e["ph"] == "X" && e["pid"] == pid)
            found.push_back({e["tid"].get<int>(), tracks.at(e["tid"]), e["cat"], e["name"], e["ts"].get<double>(),
                             e["ts"].get<double>() + e["dur"].get<double>()});
    return found;
}

std::size_t count(const std::vector<slice>& slices, const std::string& category) {
    return static_cast<std::size_t>(
        std::ranges::count_if(slices, [&](const slice& s) { return s.category == category; }));
}

void check_nesting(const std::vector<slice>& slices) {
    std::map<int, std::vector<slice>> open; // two threads may have one name
    for (const slice& s : slices) {
        auto& stack = open[s.tid];
        while (!stack.empty() && stack.back().end <= s.begin + 0.0005) stack.pop_back();
        CAPTURE(s.name);
        if (!stack.empty()) CHECK(s.end <= stack.back().end + 0.0005); // times are whole nanoseconds
        stack.push_back(s);
    }
}

} // namespace

TEST_CASE("the trace of a blocked worker shows the poll that holds it and the agent that waits for it") {
    const temporary_folder results;
    const auto file = results / "trace.json";
    const outcome o = run_profile(results, "async_std", with({"--trace", file.string()}));
    REQUIRE_MESSAGE(o.status == 0, o.err);
    const auto slices = slices_of(read(file), "run 1: all together");
    // The first agent whose calls hold the worker; then the other one holds it in its turn.
    const slice *held = nullptr, *waits = nullptr;
    for (const slice& s : slices) {
        if (s.category == "long_poll" && s.end - s.begin > 100e3 && (!held || s.begin < held->begin)) held = &s;
        if (s.category == "runnable" && (!waits || s.end - s.begin > waits->end - waits->begin)) waits = &s;
    }
    REQUIRE(held);
    REQUIRE(waits);
    CHECK(held->track == "worker async_std-0");
    CHECK(held->name.find("holds this worker") != std::string::npos);
    const std::string holder = held->name.substr(0, held->name.find(' '));
    CHECK((waits->track == "collector" || waits->track == "insight"));
    CHECK(waits->track != holder);
    CHECK(waits->name.starts_with("runnable, not polled"));
    // Two calls of 60 tokens at 200 tok/s, all in one poll: the other agent waits to its end.
    CHECK(held->end - held->begin > 550e3);
    const double overlap = std::min(held->end, waits->end) - std::max(held->begin, waits->begin);
    CHECK(overlap > 0.9 * (held->end - held->begin));
    check_nesting(slices);
}

TEST_CASE("a trace agrees with what was measured, on every executor") {
    for (const std::string executor : {"thread_pool", "uv_pinned", "fiber"}) {
        CAPTURE(executor);
        const temporary_folder results;
        const auto file = results / "trace.json";
        const outcome o =
            run_profile(results, "smol1kb", with({"--set", "executor.plugin=" + executor, "--trace", file.string()}));
        REQUIRE_MESSAGE(o.status == 0, o.err);
        const json trace = read(file);
        const json run = read(std::filesystem::path(o.json()["files"].get<std::string>()) / "run_1/metrics.json");
        const auto slices = slices_of(trace, "run 1: all together");
        check_nesting(slices);
        CHECK(count(slices, "agent") == 2);
        std::size_t polls = 0, long_polls = 0;
        for (const json& a : run["concurrent"]["agents"]) {
            polls += a["polls"].get<std::size_t>();
            long_polls += a["long_polls"].size();
        }
        CHECK(count(slices, "poll") + count(slices, "long_poll") == polls);
        CHECK(count(slices, "long_poll") == long_polls);
        CHECK(polls > 20); // 240 on a machine that has time for a poll for each token
        CHECK(count(slices, "wake") > polls / 2);
        std::map<int, int> arrows;
        for (const json& e : trace["traceEvents"])
            if (e["ph"] == "s" || e["ph"] == "f") arrows[e["id"]] += e["ph"] == "s" ? 1 : 2;
        for (const auto& [id, ends] : arrows) CHECK(ends == 3);
    }
}

TEST_CASE("a trace can be read after Ctrl-C, with the execution that was stopped") {
    const temporary_folder results;
    const auto file = results / "trace.json";
    process host(host_program(),
                 {"--profile", profile_path("async_std_fixed").string(), "--ui", "plain", "--output-dir",
                  results.path().string(), "--trace", file.string(), "--warmup", "0", "--runs", "9"});
    host.wait_for_error_text("[2/27]");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    host.signal(SIGINT);
    CHECK(host.wait().status == 130);
    std::vector<std::string> executions;
    const json trace = read(file);
    for (const json& e : trace["traceEvents"])
        if (e["name"] == "process_name") executions.push_back(e["args"]["name"]);
    CHECK(executions.size() == 2);
    CHECK_FALSE(slices_of(trace, executions.back()).empty());
}

TEST_CASE("a trace that cannot be written is said so before anything runs") {
    const temporary_folder results;
    const outcome o = run_profile(results, "smol1kb", {"--trace", "/no/such/folder/trace.json"});
    CHECK(o.status == 3);
    CHECK(o.err.find("/no/such/folder/trace.json") != std::string::npos);
    CHECK(o.out.empty());
    CHECK(std::filesystem::is_empty(results.path()));
}
