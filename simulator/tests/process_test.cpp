#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;
using nlohmann::json;

namespace {

const std::vector<std::string> endless{"--load-ms",          "0",    "--decode-tokens-per-s", "10",
                                       "--reply-tokens-min", "9999", "--reply-tokens-max",    "9999"};

/// True when `pid`, no child of ours, ends within five seconds.
bool vanishes(pid_t pid) {
    for (int i = 0; i < 500; ++i) {
        if (kill(pid, 0) != 0) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

const std::string body = R"({"model":"m","prompt":"x"})";

std::vector<std::string> paced(const std::vector<std::string>& more) {
    std::vector<std::string> all{
        "--load-ms",          "0",   "--prefill-tokens-per-s", "0",  "--reply-tokens-min", "100",
        "--reply-tokens-max", "100", "--decode-tokens-per-s",  "200"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// Seconds from the start of decoding to the last token, as the server reports them.
double eval_seconds(const response& r) {
    return json::parse(r.records().back()).at("eval_duration").get<double>() * 1e-9;
}

std::vector<std::int64_t> send_times(const response& r) {
    std::vector<std::int64_t> times;
    for (const auto& record : r.records()) {
        times.push_back(json::parse(record).at("t_ns"));
    }
    return times;
}

/// Two requests at the same time, to two servers (or twice to one).
std::pair<response, response> both(std::uint16_t one, std::uint16_t other) {
    http_client a(one);
    http_client b(other);
    a.send(post_text("/api/generate", body));
    b.send(post_text("/api/generate", body));
    auto first = a.read_response();
    return {std::move(first), b.read_response()};
}

/// The first of up to three replies that took less than so many seconds, or the last: a token is never early, but how
/// late it is depends on the machine too, which any one try may meet at a bad moment.
response timely(std::uint16_t port, double limit_s, const std::string& request = body) {
    response r;
    for (int i = 0; i < 3; ++i)
        if (r = post_once(port, "/api/generate", request); eval_seconds(r) < limit_s) break;
    return r;
}

/// As timely(), of two at the same time; gives their seconds.
std::pair<double, double> timely_pair(std::uint16_t one, std::uint16_t other, double limit_s) {
    std::pair<double, double> took;
    for (int i = 0; i < 3; ++i) {
        const auto [a, b] = both(one, other);
        took = {eval_seconds(a), eval_seconds(b)};
        if (std::max(took.first, took.second) < limit_s) break;
    }
    return took;
}

struct temporary_path {
    std::string path = "/tmp/chimera-gpu-process-test-" + std::to_string(getpid());
    temporary_path() { unlink(path.c_str()); }
    ~temporary_path() { unlink(path.c_str()); }
};

} // namespace

TEST_CASE("standard output is one line that says where it listens") {
    sim_process sim(endless);
    CHECK(sim.first_line() == fmt::format("listening http://127.0.0.1:{}", sim.port()));
    http_client client(sim.port());
    client.send(post_text("/api/generate", R"({"model":"m","prompt":"x"})"));
    REQUIRE(client.read_until("t_ns"));
    CHECK(sim.terminate() == 0);
    CHECK(sim.rest_of_stdout.empty());
}

TEST_CASE("it listens on IPv6, too") {
    sim_process sim({"--listen", "[::1]:0"});
    CHECK(sim.first_line() == fmt::format("listening http://[::1]:{}", sim.port()));
}

TEST_CASE("SIGINT ends it in order, replies in progress or not") {
    sim_process sim(endless);
    http_client client(sim.port());
    client.send(post_text("/api/generate", R"({"model":"m","prompt":"x"})"));
    REQUIRE(client.read_until("t_ns"));
    kill(sim.pid(), SIGINT);
    CHECK(sim.wait_for_exit() == 0);
}

TEST_CASE("with --exit-with-parent the end of standard input ends it, without it does not") {
    auto with_parent = endless;
    with_parent.push_back("--exit-with-parent");
    sim_process sim(with_parent);
    sim.close_stdin();
    CHECK(sim.wait_for_exit() == 0);
    sim_process stays(endless);
    stays.close_stdin();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK(http_client(stays.port()).get("/").status == 200);
}

TEST_CASE("with --exit-with-parent it does not outlive a parent that was killed") {
    int report[2];
    int ready[2];
    int held[2]; // standard input stays open, so that only the parent's death can end it
    REQUIRE(pipe(report) == 0);
    REQUIRE(pipe(ready) == 0);
    REQUIRE(pipe(held) == 0);
    const pid_t parent = fork();
    if (parent == 0) {
        const pid_t child = fork();
        if (child == 0) {
            dup2(held[0], STDIN_FILENO);
            dup2(ready[1], STDOUT_FILENO);
            execl(CHIMERA_BIN_DIR "/chimera-sim", "chimera-sim", "--quiet", "--exit-with-parent", nullptr);
            _exit(127);
        }
        static_cast<void>(write(report[1], &child, sizeof child) + 1);
        pause();
        _exit(0);
    }
    close(report[1]);
    close(ready[1]);
    pid_t child = 0;
    REQUIRE(read(report[0], &child, sizeof child) == sizeof child);
    char c = 0;
    do {
        REQUIRE(read(ready[0], &c, 1) == 1);
    } while (c != '\n'); // it says where it listens
    REQUIRE(kill(child, 0) == 0);
    kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);
    CHECK(vanishes(child));
    for (const int fd : {report[0], ready[0], held[0], held[1]}) {
        close(fd);
    }
}

TEST_CASE("exit statuses tell a bad command line from a server that cannot start") {
    const auto help = run_sim({"--help"});
    CHECK(help.status == 0);
    CHECK(help.out.find("--decode-tokens-per-s") != std::string::npos);
    CHECK(run_sim({"--version"}).out.starts_with("chimera-sim "));
    const auto bad = run_sim({"--jitter", "7"});
    CHECK(bad.status == 2);
    CHECK(bad.out.empty());
    CHECK(bad.err.find("--jitter") != std::string::npos);
    sim_process sim;
    const auto address = fmt::format("127.0.0.1:{}", sim.port());
    const auto taken = run_sim({"--listen", address});
    CHECK(taken.status == 3);
    CHECK(taken.err.find(address) != std::string::npos);
    CHECK(taken.err.find("in use") != std::string::npos);
    const auto gpu = run_sim({"--shared-gpu", "/no/such/folder/gpu"});
    CHECK(gpu.status == 3);
    CHECK(gpu.err.find("/no/such/folder/gpu") != std::string::npos);
}

TEST_CASE("a paced reply takes as long as its tokens, however the single sends fall") {
    for (const auto* jitter : {"0", "1"}) {
        CAPTURE(jitter);
        sim_process sim(paced({"--jitter", jitter}));
        const auto r = timely(sim.port(), 0.55);
        CHECK(eval_seconds(r) >= 0.5);
        CHECK(eval_seconds(r) < 0.55);
        const auto times = send_times(r);
        std::int64_t sum = 0;
        for (std::size_t i = 1; i < 100; ++i) {
            CHECK(times[i] > times[i - 1]);
            sum += times[i] - times[i - 1];
        }
        CHECK(sum == times[99] - times[0]);
        const double start = static_cast<double>(times[99]) - eval_seconds(r) * 1e9;
        for (std::size_t i = 0; i < 100; ++i) {
            const auto grid = start + (static_cast<double>(i) + 1) * 5e6;
            CHECK(static_cast<double>(times[i]) >= grid - (*jitter == '1' ? 2'500'100 : 100));
        }
    }
}

TEST_CASE("jitter keeps two equal requests out of step") {
    sim_process sim(paced({"--jitter", "1"}));
    const auto [first, second] = both(sim.port(), sim.port());
    const auto one = send_times(first);
    const auto other = send_times(second);
    REQUIRE(one.size() == other.size());
    // In step, all differences are that of the two starts, but for how late each was sent.
    std::vector<std::int64_t> differences;
    for (std::size_t i = 0; i < one.size(); ++i) {
        differences.push_back(other[i] - one[i]);
    }
    const auto [least, most] = std::ranges::minmax(differences);
    CHECK(most - least > 2'500'000); // half an interval; out of step it comes near to two
}

TEST_CASE("one after the other, equal requests have the same jitter") {
    sim_process sim(paced({"--jitter", "1"}));
    // The differences of their times are near each other, but for tokens that were sent late: of independent jitters
    // any half of them is 2.9 ms apart.
    std::int64_t narrowest_half = INT64_MAX;
    for (int i = 0; i < 10 && narrowest_half >= 1'000'000; ++i) {
        const auto one = send_times(post_once(sim.port(), "/api/generate", body));
        const auto again = send_times(post_once(sim.port(), "/api/generate", body));
        std::vector<std::int64_t> differences;
        for (std::size_t k = 0; k < one.size(); ++k) differences.push_back(again[k] - one[k]);
        std::ranges::sort(differences);
        const std::size_t half = differences.size() / 2;
        for (std::size_t k = 0; k + half < differences.size(); ++k)
            narrowest_half = std::min(narrowest_half, differences[k + half] - differences[k]);
    }
    CHECK(narrowest_half < 1'000'000);
}

TEST_CASE("a client reads each paced token in a send of its own") {
    sim_process sim(paced({"--records-per-send", "1"}));
    const auto r = post_once(sim.port(), "/api/generate", body);
    CHECK(r.chunks.size() == 101);
    sim_process grouped(paced({"--records-per-send", "8"}));
    const auto g = post_once(grouped.port(), "/api/generate", body);
    CHECK(g.chunks.size() == 14); // 13 groups and the final record
    CHECK(g.records().size() == 101);
    CHECK(eval_seconds(g) >= 0.5);
}

TEST_CASE("num_gpu below the number of layers slows decoding down") {
    sim_process sim(paced({"--layers", "10", "--cpu-decode-fraction", "0.2"}));
    constexpr double expected = 0.5 / 0.6;
    const auto r = timely(sim.port(), expected * 1.1, R"({"model":"m","prompt":"x","options":{"num_gpu":5}})");
    CHECK(eval_seconds(r) >= expected);
    CHECK(eval_seconds(r) < expected * 1.1);
}

TEST_CASE("a request beyond the slots gets no header before it has one") {
    sim_process sim(paced({"--slots", "1"}));
    const auto [first, second] = both(sim.port(), sim.port());
    const auto one = send_times(first);
    const auto other = send_times(second);
    CHECK(std::max(one.front(), other.front()) > std::min(one[99], other[99]));
    const auto waited = json::parse((one.front() < other.front() ? second : first).records().back());
    CHECK(waited.at("total_duration").get<double>() >= 0.9e9);
    CHECK(waited.at("eval_duration").get<double>() < 0.6e9);
}

TEST_CASE("replies of one server disturb each other only when contention says so") {
    sim_process free_(paced({}));
    const auto [a, b] = timely_pair(free_.port(), free_.port(), 0.55);
    CHECK(std::max(a, b) < 0.55);
    sim_process half(paced({"--contention", "0.5"}));
    const auto [c, d] = timely_pair(half.port(), half.port(), 0.80);
    CHECK(std::max(c, d) >= 0.74);
    CHECK(std::max(c, d) < 0.80);
}

TEST_CASE("two servers on one GPU at full contention are each half as fast, alone as fast as ever") {
    const temporary_path gpu;
    sim_process one(paced({"--shared-gpu", gpu.path, "--contention", "1"}));
    sim_process other(paced({"--shared-gpu", gpu.path, "--contention", "1"}));
    const auto alone = timely(one.port(), 0.55);
    CHECK(eval_seconds(alone) >= 0.499);
    CHECK(eval_seconds(alone) < 0.55);
    const auto [a, b] = timely_pair(one.port(), other.port(), 1.08);
    // The one that started first was alone for a moment, so the two ends differ by that much.
    CHECK(a + b >= 1.95);
    CHECK(std::max(a, b) < 1.08);
    CHECK(eval_seconds(timely(other.port(), 0.55)) < 0.55);
}

TEST_CASE("a server killed while it decodes gives the GPU free") {
    const temporary_path gpu;
    sim_process survivor(paced({"--shared-gpu", gpu.path, "--contention", "1"}));
    auto doomed = std::make_unique<sim_process>(paced({"--shared-gpu", gpu.path, "--contention", "1"}));
    http_client client(doomed->port());
    client.send(post_text("/api/generate", body));
    REQUIRE(client.read_until("t_ns"));
    doomed.reset(); // SIGKILL
    CHECK(eval_seconds(timely(survivor.port(), 0.6)) < 0.6);
}

TEST_CASE("the server's own lateness is counted for each paced token") {
    sim_process sim(paced({}));
    post_once(sim.port(), "/api/generate", body);
    const auto stats = read_stats(sim.port());
    CHECK(stats.at("late_tokens_counted") == 100);
    CHECK(stats.at("late_max_us").get<double>() > 0);
    CHECK(stats.at("late_p99_us") <= stats.at("late_max_us"));
}
