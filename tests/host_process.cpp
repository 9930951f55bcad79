#include "host_process.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::test {
namespace fs = std::filesystem;
using namespace std::chrono;

namespace {

constexpr const char* mark_name = "CHIMERA_TEST_MARK"; // in the environment of everything that this process starts

std::string mark() { return std::to_string(getpid()); }

} // namespace

nlohmann::json outcome::json() const {
    INFO("stderr: ", err);
    nlohmann::json parsed = nlohmann::json::parse(out, nullptr, false);
    REQUIRE_MESSAGE(!parsed.is_discarded(), "no JSON on standard output: " << out);
    return parsed;
}

double outcome::mean(const char* metric) const {
    const nlohmann::json j = json();
    REQUIRE(j["metrics"].contains(metric));
    REQUIRE(j["metrics"][metric]["n"].get<int>() > 0);
    return j["metrics"][metric]["mean"].get<double>();
}

process::process(const fs::path& program, const std::vector<std::string>& arguments) : begin_(steady_clock::now()) {
    int out[2], err[2];
    REQUIRE(pipe2(out, O_CLOEXEC) == 0);
    REQUIRE(pipe2(err, O_CLOEXEC) == 0);
    std::vector<std::string> words{program.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    setenv(mark_name, mark().c_str(), 1);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execv(program.c_str(), argv.data());
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    out_fd_ = out[0];
    err_fd_ = err[0];
}

process::~process() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    for (const int fd : {out_fd_, err_fd_})
        if (fd >= 0) close(fd);
}

void process::collect(int timeout_ms) {
    pollfd fds[2] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}};
    if (poll(fds, 2, timeout_ms) <= 0) return;
    char buffer[8192];
    for (pollfd& p : fds) {
        if (p.fd < 0 || !(p.revents & (POLLIN | POLLHUP))) continue;
        const ssize_t n = read(p.fd, buffer, sizeof buffer);
        int& owner = p.fd == out_fd_ ? out_fd_ : err_fd_;
        if (n > 0)
            (p.fd == out_fd_ ? outcome_.out : outcome_.err).append(buffer, static_cast<std::size_t>(n));
        else {
            close(owner);
            owner = -1;
        }
    }
}

void process::wait_for_error_text(const std::string& text) {
    const auto limit = steady_clock::now() + seconds(20);
    while (outcome_.err.find(text) == std::string::npos && err_fd_ >= 0 && steady_clock::now() < limit) collect(50);
    REQUIRE_MESSAGE(outcome_.err.find(text) != std::string::npos, "never said: " << text << "; said: " << outcome_.err);
}

void process::signal(int number) const { REQUIRE(kill(pid_, number) == 0); }

outcome process::wait() {
    const auto limit = steady_clock::now() + seconds(180);
    while ((out_fd_ >= 0 || err_fd_ >= 0) && steady_clock::now() < limit) collect(50);
    if (out_fd_ >= 0 || err_fd_ >= 0) kill(pid_, SIGKILL);
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    outcome_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome_.took = duration_cast<milliseconds>(steady_clock::now() - begin_);
    return outcome_;
}

outcome run_host(const std::vector<std::string>& arguments) { return process(host_program(), arguments).wait(); }

outcome run_profile(const temporary_folder& results, const fs::path& profile, std::vector<std::string> arguments) {
    std::vector<std::string> all{"--profile",
                                 (profile.is_absolute() ? profile : profile_path(profile)).string(),
                                 "--json",
                                 "--ui",
                                 "none",
                                 "--output-dir",
                                 results.path().string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_host(all);
}

outcome run_for_efficiency(double low, double high, const std::function<outcome()>& run) {
    std::vector<outcome> inside, outside;
    std::string found;
    while (inside.size() < 2 && outside.size() < 2) {
        outcome o = run();
        if (o.status != 0) return o;
        const double efficiency = o.mean("efficiency_pct");
        found += " " + std::to_string(efficiency);
        (efficiency > low && efficiency < high ? inside : outside).push_back(std::move(o));
    }
    if (!outside.empty()) MESSAGE("efficiency in %, wanted from ", low, " to ", high, ":", found);
    return (inside.size() == 2 ? inside : outside).back();
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void check_refused(const outcome& o, int status, const std::string& saying) {
    CHECK(o.status == status);
    CHECK_MESSAGE(contains(o.err, saying), "expected \"" << saying << "\" in: " << o.err);
    CHECK(o.out.empty());
}

fs::path profile_path(const std::string& name) { return fs::path(CHIMERA_SOURCE_DIR) / "profiles" / (name + ".toml"); }
fs::path host_program() { return fs::path(CHIMERA_BIN_DIR) / "chimera-host"; }
fs::path simulator_program() { return fs::path(CHIMERA_BIN_DIR) / "chimera-sim"; }

int simulators_running() {
    const std::string marked = std::string(mark_name) + "=" + mark() + std::string(1, '\0');
    int count = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        std::ifstream comm(entry.path() / "comm"), environment(entry.path() / "environ", std::ios::binary);
        std::string name;
        if (!std::getline(comm, name) || name != "chimera-sim") continue;
        const std::string variables{std::istreambuf_iterator<char>(environment), {}};
        if (variables.find(marked) != std::string::npos) ++count;
    }
    return count;
}

} // namespace chimera::test
