// Groups of agents as a user runs them: in one process and in several, with members and hubs that are killed.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace chimera::test;

namespace {

namespace fs = std::filesystem;

/// A UDP port that was free a moment ago.
int free_port() {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

const std::string group_profile = R"(
name = "group"
[executor]
plugin = "uv_pinned"
options = { workers = 1 }
[coordinator]
plugin = "quic"
[workload]
kind = "coordination"
[workload.coordination]
cycles = 20
messages = 5
in_flight = 5
decisions = { low = 2, critical = 2 }
[measure]
baseline = false
runs = 1
warmup = 0
time_limit_s = 60
)";

/// A cycle takes 8 ms or more, on a machine of any speed: somebody can be killed in the middle.
const std::string slow_link = "[coordinator.options]\nlink.delay_us = 1000\n";

/// A group of four in processes of its own, all with the same profile.
class split_group {
  public:
    explicit split_group(int cycles, const std::string& coordinator_options = "") : port_(free_port()) {
        profile_ = folder_.write("group.toml", group_profile + coordinator_options);
        std::string keys;
        for (int i = 1; i <= 4; ++i)
            keys += "member_" + std::to_string(i) + " " + std::string(64, static_cast<char>('0' + i)) + "\n";
        keys_ = folder_.write("keys", keys);
        cycles_ = cycles;
    }
    std::unique_ptr<process> start(const std::string& here, std::vector<std::string> more = {}) {
        std::vector<std::string> arguments{
            "run",  "--profile", profile_.string(), "--json",
            "--ui", "none",      "--output-dir",    (folder_ / ("results_" + std::to_string(++started_))).string()};
        for (const std::string& set :
             {"workload.coordination.here=[" + here + "]", "workload.coordination.key_file=\"" + keys_.string() + "\"",
              "workload.coordination.address=\"127.0.0.1:" + std::to_string(port_) + "\"",
              "workload.coordination.cycles=" + std::to_string(cycles_),
              std::string("workload.coordination.decision_limit_ms=2000")}) {
            arguments.emplace_back("--set");
            arguments.push_back(set);
        }
        arguments.insert(arguments.end(), more.begin(), more.end());
        return std::make_unique<process>(host_program(), arguments);
    }
    const temporary_folder& folder() const { return folder_; }

  private:
    const temporary_folder folder_;
    fs::path profile_, keys_;
    int port_, cycles_, started_ = 0;
};

double metric_of(const outcome& o, const std::string& name, const char* which = "mean") {
    const auto j = o.json();
    const auto& m = j.at("metrics").at(name);
    return m.at(which).is_null() ? -1 : m.at(which).get<double>();
}

/// Two agents with LLM calls, who coordinate.
std::string report_profile(const std::string& coordinator) {
    std::string text = quick_profile + "[coordinator]\nplugin = \"" + coordinator + "\"\n";
    const auto calls = text.find("kind = \"calls\"");
    return text.replace(calls, text.find("[measure]") - calls, "permits = 0\n");
}

void let_work() { std::this_thread::sleep_for(std::chrono::milliseconds(400)); }

} // namespace

TEST_CASE("one process: every executor, both coordinators, both codecs; the parts fill the cycles") {
    const temporary_folder folder;
    const fs::path profile = folder.write("group.toml", group_profile);
    const std::vector<std::vector<std::string>> variants{
        {"coordinator.plugin=\"local\""},
        {},
        {"coordinator.options.codec=\"json\"", "coordinator.options.batch=false",
         "coordinator.options.wait_for_all_votes=true"},
        {"executor.plugin=\"thread_pool\"", "executor.options={ workers = 2 }"},
        {"executor.plugin=\"uring\""},
        {"executor.plugin=\"fiber\""}};
    for (const auto& variant : variants) {
        std::vector<std::string> arguments;
        for (const std::string& set : variant) arguments.insert(arguments.end(), {"--set", set});
        CAPTURE((variant.empty() ? std::string("quic") : variant.front()));
        const outcome o = run_profile(folder, profile, arguments);
        REQUIRE_MESSAGE(o.status == 0, o.err, o.out);
        const double total = metric_of(o, "hundred_cycles_ms");
        CHECK(total > 0);
        CHECK(metric_of(o, "hundred_cycles_wait_ms") <= total);
        CHECK(metric_of(o, "round_trip_us", "n") == 4 * 20 * 5);
        CHECK(metric_of(o, "fast_decision_us", "n") == 20 * 2);
        CHECK(metric_of(o, "slow_decision_us", "n") == 20 * 2);
        CHECK(metric_of(o, "cycle_ms", "n") == 4 * 20);
        CHECK(metric_of(o, "ttft_ms", "n") == 0);
    }
}

TEST_CASE("agents with LLM calls merge their reports and vote; coordination is a part of the loss") {
    const temporary_folder folder;
    for (const char* plugin : {"quic", "local"}) {
        CAPTURE(plugin);
        const outcome o = run_profile(folder, folder.write("report.toml", report_profile(plugin)));
        REQUIRE_MESSAGE(o.status == 0, o.err, o.out);
        CHECK(metric_of(o, "coordination_share_pct") > 0);
        CHECK(metric_of(o, "inflation_coordination_pct") > 0);
        CHECK(metric_of(o, "coordination_wait_pct") <= metric_of(o, "coordination_share_pct"));
        CHECK(metric_of(o, "hundred_cycles_ms", "n") == 0);
    }
}

TEST_CASE("an agent that fails, or all of them: nobody waits for who will not come") {
    const temporary_folder folder;
    const fs::path profile = folder.write("report.toml", report_profile("quic"));
    const outcome one =
        run_profile(folder, profile,
                    {"--set", "measure.baseline=false", "--set", "workload.agents.insight.url=\"http://127.0.0.1:9\""});
    CHECK(one.status == 1);
    CHECK(one.took < std::chrono::seconds(20));
    const outcome all =
        run_profile(folder, profile, {"--set", "measure.baseline=false", "--url", "http://127.0.0.1:9"});
    CHECK(all.status == 4);
    CHECK(all.took < std::chrono::seconds(20));
}

TEST_CASE("a late voter, decisions that are not made in time, and a group that is interrupted") {
    const temporary_folder folder;
    const fs::path profile = folder.write("group.toml", group_profile);
    const outcome late = run_profile(folder, profile, {"--set", "workload.coordination.straggler_ms=2"});
    CHECK_MESSAGE(late.status == 0, late.err, late.out);
    const outcome aborted =
        run_profile(folder, profile,
                    {"--set", "workload.coordination.decision_limit_ms=1", "--set", "workload.coordination.cycles=50"});
    CHECK_MESSAGE(aborted.status == 0, aborted.err, aborted.out);
    CHECK(metric_of(aborted, "aborted_decisions_pct") >= 0);
    process running(host_program(), {"run", "--profile", profile.string(), "--ui", "none", "--output-dir",
                                     folder.path().string(), "--set", "workload.coordination.cycles=1000000"});
    let_work();
    running.signal(SIGINT);
    CHECK(running.wait().status == 130);
}

TEST_CASE("four processes and a hub: each has its figures") {
    split_group group(20);
    const auto hub = group.start("\"hub\"");
    std::vector<std::unique_ptr<process>> members;
    for (int i = 1; i <= 4; ++i) members.push_back(group.start("\"member_" + std::to_string(i) + "\""));
    for (const auto& m : members) {
        const outcome o = m->wait();
        REQUIRE_MESSAGE(o.status == 0, o.err, o.out);
        CHECK(metric_of(o, "round_trip_us", "n") == 100);
        CHECK(metric_of(o, "cycle_ms", "n") == 20);
    }
    const outcome o = hub->wait();
    CHECK_MESSAGE(o.status == 0, o.err, o.out);
}

TEST_CASE("two processes, and a member that is killed: the others go on; started again, it joins again") {
    split_group group(300, slow_link);
    const auto most = group.start("\"hub\",\"member_1\",\"member_2\",\"member_3\"");
    auto last = group.start("\"member_4\"");
    let_work();
    last->signal(SIGKILL);
    CHECK(last->wait().status == 128 + SIGKILL);
    last = group.start("\"member_4\"");
    const outcome again = last->wait(), others = most->wait();
    CHECK_MESSAGE(again.status == 0, again.err, again.out);
    REQUIRE_MESSAGE(others.status == 0, others.err, others.out);
    CHECK(metric_of(others, "cycle_ms", "n") == 3 * 300);
}

TEST_CASE("a hub that is killed: its members wait for it, and go on with the next one") {
    split_group group(300, slow_link);
    auto hub = group.start("\"hub\"");
    const auto members = group.start("\"member_1\",\"member_2\",\"member_3\",\"member_4\"");
    let_work();
    hub->signal(SIGKILL);
    CHECK(hub->wait().status == 128 + SIGKILL);
    hub = group.start("\"hub\"");
    const outcome o = members->wait(), next = hub->wait();
    REQUIRE_MESSAGE(o.status == 0, o.err, o.out);
    CHECK(metric_of(o, "cycle_ms", "n") == 4 * 300);
    CHECK_MESSAGE(next.status == 0, next.err, next.out);
}

TEST_CASE("bad input: the place, the reason and what to do") {
    const temporary_folder folder;
    const auto refused = [&](const std::string& set, int status, const std::string& saying) {
        const outcome o = run_profile(folder, folder.write("group.toml", group_profile), {"--set", set});
        CAPTURE(set);
        check_refused(o, status, saying);
    };
    refused("coordinator.options.codec=\"protobuf\"", 2, "flatbuffers");
    refused("coordinator.options.codek=\"json\"", 2, "\"codec\"");
    refused("workload.coordination.address=\"nowhere\"", 2, "host:port");
    refused("workload.coordination.here=[\"hup\"]", 2, "\"hub\"");
    refused("workload.coordination.here=[\"hub\"]", 2, "port 0");
    refused("workload.coordination.decisions={ critial = 1 }", 2, "critical");
    refused("workload.agents.count=3", 2, "needs 4 members or more");
    refused("workload.prompts=[\"x\"]", 2, "needs workload.kind = \"calls\"");
    refused("measure.baseline=true", 2, "measure.baseline = false");
    refused("workload.coordination.key_file=\"/nowhere\"", 2, "/nowhere is not a file");
    refused("transport.plugin=\"socket\"", 2, "transport");
    refused("coordinator.plugin=\"socket\"", 2, "offers no coordinator");

    const fs::path wrong = folder.write("keys", "member_1 00112233445566778899aabbccddeeff\nmember_2 xyz\n");
    const outcome bad_key = run_profile(folder, folder.write("group.toml", group_profile),
                                        {"--set", "workload.coordination.key_file=\"" + wrong.string() + "\""});
    CHECK(bad_key.status == 3);
    CHECK_MESSAGE(contains(bad_key.err + bad_key.out, "line 2 of the keys"), bad_key.err, bad_key.out);
    CHECK_FALSE(contains(bad_key.err + bad_key.out, "xyz"));

    // A port that another program has.
    const int port = free_port(), fd = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    const outcome taken =
        run_profile(folder, folder.write("group.toml", group_profile),
                    {"--set", "workload.coordination.address=\"127.0.0.1:" + std::to_string(port) + "\""});
    close(fd);
    CHECK(taken.status == 3);
    CHECK_MESSAGE(contains(taken.err + taken.out, "Address already in use"), taken.err, taken.out);
}

TEST_CASE("a wrong key and another epoch are refused with words, and no key is in any output") {
    split_group group(20);
    const fs::path other = group.folder().write("other_keys", "* " + std::string(64, 'f') + "\n");
    const auto hub = group.start("\"hub\"");
    const auto stranger =
        group.start("\"member_1\"", {"--set", "workload.coordination.key_file=\"" + other.string() + "\""});
    const outcome o = stranger->wait();
    CHECK(o.status == 3);
    CHECK_MESSAGE(contains(o.err + o.out, "key"), o.err, o.out);
    CHECK_FALSE(contains(o.err + o.out, std::string(64, 'f')));
    hub->signal(SIGINT);
    hub->wait();
}
