#include <chrono>
#include <csignal>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;

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
