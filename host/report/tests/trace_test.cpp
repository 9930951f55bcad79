// The trace is what Perfetto opens: valid JSON at any time, slices that nest, arrows with two ends.
#include "measure/poll_log.hpp"
#include "report/trace_file.hpp"
#include "sample_campaign.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <fstream>
#include <map>
#include <vector>

#include <sys/resource.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

constexpr thread_id worker = 11, reactor = 12;
constexpr nanoseconds_t begin = 1'000'000'000;

nanoseconds_t at_ms(double ms) { return begin + static_cast<nanoseconds_t>(ms * 1e6); }

/// Agent a holds the only worker from 10 to 90 ms; b was woken at 12 ms.
execution_record blocked_execution() {
    execution_record x;
    x.begin = begin;
    x.end = at_ms(100);
    for (const char* id : {"a", "b"}) {
        agent_record agent = sample_agent(id);
        agent.log = std::make_shared<poll_log>();
        agent.log->threads = {{worker, "w-0"}, {reactor, "reactor"}};
        agent.chunks = {{at_ms(10), 0, 0, 0, 3}, {at_ms(50), 0, 0, 0, 0}, {at_ms(60), 0, 0, 0, 2}};
        x.agents.push_back(std::move(agent));
    }
    poll_log& a = *x.agents[0].log;
    poll_log& b = *x.agents[1].log;
    a.polls = {{0, begin, at_ms(1), worker, 0, agent_stage::waiting_for_permit},
               {at_ms(9.9995), at_ms(10), at_ms(90), worker, worker, agent_stage::body}};
    x.agents[0].long_polls = {{at_ms(10), at_ms(90), agent_stage::first_byte}};
    b.polls = {{0, at_ms(1), at_ms(2), worker, 0, agent_stage::waiting_for_permit},
               {at_ms(12), at_ms(90), at_ms(91), worker, reactor, agent_stage::ingest}};
    return x;
}

json events_of(const execution_record& x, double long_poll_ms = 10) {
    return json::parse("[" + trace_events(long_poll_ms).render("run 1", x) + "]");
}

std::vector<json> with(const json& events, const char* key, const std::string& value) {
    std::vector<json> found;
    for (const json& e : events)
        if (e.value(key, "") == value) found.push_back(e);
    return found;
}

std::string thread_of(const json& events, const json& event) {
    for (const json& e : with(events, "name", "thread_name"))
        if (e["tid"] == event["tid"]) return e["args"]["name"];
    return {};
}

json read(const std::filesystem::path& file) {
    std::ifstream in(file);
    return json::parse(in);
}

const planned_execution together{1, {0, 1}, true};

} // namespace

TEST_CASE("a poll that holds a worker is named on the worker's track, and who waits for it on the agent's") {
    const json events = events_of(blocked_execution());
    const auto held = with(events, "cat", "long_poll");
    REQUIRE(held.size() == 1);
    CHECK(held[0]["name"] == "a holds this worker for 80 ms: waiting for the first byte");
    CHECK(thread_of(events, held[0]) == "worker w-0");
    CHECK(held[0]["ts"].get<double>() == doctest::Approx(10'000));
    CHECK(held[0]["dur"].get<double>() == doctest::Approx(80'000));
    const auto waits = with(events, "cat", "runnable");
    REQUIRE(waits.size() == 1);
    CHECK(waits[0]["name"] == "runnable, not polled for 78 ms");
    CHECK(thread_of(events, waits[0]) == "b");
    CHECK(waits[0]["ts"].get<double>() == doctest::Approx(12'000));
    CHECK(with(events_of(blocked_execution(), 100), "cat", "runnable").empty());
}

TEST_CASE("an agent that was never polled has been runnable from the beginning") {
    execution_record x = blocked_execution();
    x.agents.resize(1);
    agent_record& a = x.agents[0];
    a.log->polls.clear();
    a.requests.clear();
    a.first_polled = a.permit_asked = a.start = a.end = 0;
    const auto waits = with(events_of(x), "cat", "runnable");
    REQUIRE(waits.size() == 1);
    CHECK(waits[0]["dur"].get<double>() == doctest::Approx(100'000));
}

TEST_CASE("slices of a track nest, even where a wake touches the next poll") {
    const json events = events_of(blocked_execution());
    std::map<int, std::vector<std::pair<double, double>>> open;
    for (const json& e : with(events, "ph", "X")) {
        CAPTURE(e.dump());
        const double from = e["ts"], to = from + e["dur"].get<double>();
        auto& stack = open[e["tid"]];
        while (!stack.empty() && stack.back().second <= from) stack.pop_back();
        if (!stack.empty()) CHECK(to <= stack.back().second);
        stack.emplace_back(from, to);
    }
    CHECK(with(events, "name", "wake a")[0]["dur"].get<double>() == doctest::Approx(0.5));
}

TEST_CASE("an arrow leads from each wake, on the thread that woke, to the poll that it caused") {
    const json events = events_of(blocked_execution());
    const auto starts = with(events, "ph", "s"), ends = with(events, "ph", "f");
    REQUIRE(starts.size() == 2);
    REQUIRE(ends.size() == 2);
    for (const json& s : starts) {
        const auto end = std::ranges::find(ends, s["id"], [](const json& e) { return e["id"]; });
        REQUIRE(end != ends.end());
        CHECK((*end)["ts"] >= s["ts"]);
        CHECK((*end)["bp"] == "e");
    }
    CHECK(thread_of(events, starts[0]) == "worker w-0");
    CHECK(thread_of(events, starts[1]) == "thread reactor");
}

TEST_CASE("tokens add up on a counter, and a request says what became of it") {
    execution_record x = blocked_execution();
    x.agents[1].requests[0].error = "http://h: reset \xff";
    x.agents[1].requests[0].done = 0;
    const json events = events_of(x);
    std::vector<int> counts;
    for (const json& e : with(events, "name", "tokens of a")) counts.push_back(e["args"]["tokens"]);
    CHECK(counts == std::vector{0, 3, 5});
    const auto good = with(events, "name", "call_0"), failed = with(events, "name", "call_0 (failed)");
    REQUIRE(good.size() == 1);
    CHECK(good[0]["args"]["status"] == 200);
    CHECK(good[0]["args"]["tokens"] == 10);
    CHECK(good[0]["args"]["ttft_ms"].get<double>() == doctest::Approx(10));
    REQUIRE(failed.size() == 1);
    CHECK(failed[0]["args"]["error"].get<std::string>().starts_with("http://h: reset"));
    CHECK(failed[0]["dur"].get<double>() == doctest::Approx(100'000)); // until the agent's end
}

TEST_CASE("the file is whole after each execution, and no two of its processes or tracks have one number") {
    const temporary_folder folder;
    const profile p = sample_profile();
    trace_file trace(folder / "t.json", p);
    CHECK(read(folder / "t.json")["traceEvents"].empty());
    trace.add({0, {0, 1}, true}, blocked_execution());
    trace.add({1, {1}, false}, blocked_execution());
    trace.add(together, blocked_execution());
    const json file = read(folder / "t.json");
    CHECK(file["otherData"]["profile"] == "sample");
    std::vector<std::string> names;
    for (const json& e : with(file["traceEvents"], "name", "process_name")) names.push_back(e["args"]["name"]);
    CHECK(names == std::vector<std::string>{"warm-up: all together", "run 1: b alone", "run 1: all together"});
    std::map<int, int> process_of_track;
    for (const json& e : with(file["traceEvents"], "name", "thread_name"))
        CHECK(process_of_track.emplace(e["tid"], e["pid"]).second);
    CHECK(process_of_track.size() == 3 * 4);
}

TEST_CASE("a file that cannot be written is named at once") {
    const profile p = sample_profile();
    for (const char* path : {"/no/such/folder/t.json", "/", "/dev/full"})
        CHECK_THROWS_WITH(trace_file(path, p), doctest::Contains(path));
}

TEST_CASE("on a full disk the executions before stay readable") {
    const temporary_folder folder;
    const profile p = sample_profile();
    trace_file trace(folder / "t.json", p);
    trace.add(together, blocked_execution());
    const json before = read(folder / "t.json");
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t unlimited = limit.rlim_cur;
    limit.rlim_cur = std::filesystem::file_size(folder / "t.json") + 100;
    setrlimit(RLIMIT_FSIZE, &limit);
    CHECK_THROWS_WITH(trace.add(together, blocked_execution()), doctest::Contains("t.json"));
    CHECK(read(folder / "t.json") == before);
    limit.rlim_cur = unlimited;
    setrlimit(RLIMIT_FSIZE, &limit);
    trace.add(together, blocked_execution());
    CHECK(with(read(folder / "t.json")["traceEvents"], "name", "process_name").size() == 2);
}
