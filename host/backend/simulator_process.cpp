#include "backend/simulator_process.hpp"

#include "process/child_process.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::host {
namespace {

constexpr int start_limit_ms = 10'000;
constexpr int bad_options_status = 2; // docs/simulator.md

struct pipe_ends {
    sdk::owned_fd read, write;
    pipe_ends() {
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
        read = sdk::owned_fd(fds[0]);
        write = sdk::owned_fd(fds[1]);
    }
};

/// The first line that arrives; whatever came before the end where no line does.
std::string first_line(int fd) {
    std::string text;
    char c = 0;
    pollfd p{fd, POLLIN, 0};
    while (poll(&p, 1, start_limit_ms) > 0 && read(fd, &c, 1) == 1 && c != '\n') text += c;
    return text;
}

pid_t spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments, int in, int out) {
    std::vector<std::string> words{program.string(), "--exit-with-parent", "--quiet"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    try {
        return spawn_child(std::move(words), in, out);
    } catch (const std::system_error& e) {
        throw simulator_error(fmt::format("cannot start the simulator {}: {}", program.string(), e.code().message()),
                              false);
    }
}

/// Ends the process in order, or after a second by force. Returns its wait status.
int end(pid_t pid) {
    int status = 0;
    kill(pid, SIGTERM);
    for (int i = 0; i < 100; ++i) {
        if (waitpid(pid, &status, WNOHANG) != 0) return status;
        poll(nullptr, 0, 10);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return status;
}

} // namespace

simulator_process::simulator_process(const std::filesystem::path& program, const std::vector<std::string>& arguments) {
    pipe_ends in, out;
    pid_ = spawn(program, arguments, in.read.get(), out.write.get());
    stdin_ = std::move(in.write);
    out.write.reset();
    const std::string line = first_line(out.read.get());
    constexpr std::string_view prefix = "listening ";
    if (!line.starts_with(prefix)) {
        const int status = end(std::exchange(pid_, -1)); // it has ended already, unless it hangs
        const int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        throw simulator_error(fmt::format("the simulator {} did not start: {}", program.string(),
                                          exit_code == bad_options_status
                                              ? "it refused [backend.simulator], as it says above"
                                          : exit_code > 0 ? fmt::format("it ended with status {}", exit_code)
                                                          : std::string("it did not say where it listens")),
                              exit_code == bad_options_status);
    }
    url_ = line.substr(prefix.size());
}

simulator_process::simulator_process(simulator_process&& o) noexcept
    : stdin_(std::move(o.stdin_)), pid_(std::exchange(o.pid_, -1)), url_(std::move(o.url_)) {}

simulator_process& simulator_process::operator=(simulator_process&& o) noexcept {
    std::swap(stdin_, o.stdin_);
    std::swap(pid_, o.pid_);
    std::swap(url_, o.url_);
    return *this;
}

simulator_process::~simulator_process() {
    if (pid_ >= 0) end(pid_);
}

} // namespace chimera::host
