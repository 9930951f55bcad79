#include "sweep/hook.hpp"

#include "process/child_process.hpp"
#include "protocol/excerpt.hpp"
#include "result/whole_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::host {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t longest_excerpt = 200;

sdk::owned_fd open_file(const char* path, int flags) {
    sdk::owned_fd fd(open(path, flags | O_CLOEXEC, 0644));
    if (!fd) throw std::system_error(errno, std::generic_category(), fmt::format("{}: cannot be opened", path));
    return fd;
}

std::string last_line_of(const std::filesystem::path& log) {
    const std::string text = read_whole(log);
    const std::string_view said = trimmed(text);
    return excerpt(said.substr(said.rfind('\n') + 1), longest_excerpt);
}

} // namespace

hook::hook(std::string name, const std::string& line, std::filesystem::path log, std::vector<std::string> environment,
           double time_limit_s)
    : name_(std::move(name)), log_(std::move(log)), time_limit_s_(time_limit_s),
      deadline_(steady_clock::now() +
                std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(time_limit_s))) {
    const sdk::owned_fd in = open_file("/dev/null", O_RDONLY),
                        out = open_file(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
    pid_ = spawn_child({"/bin/sh", "-c", line}, in.get(), out.get(), out.get(), std::move(environment),
                       pipe_signals::restored);
    pidfd_ = sdk::owned_fd::checked(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)), "pidfd_open");
}

hook::hook(hook&& o) noexcept
    : name_(std::move(o.name_)), log_(std::move(o.log_)), time_limit_s_(o.time_limit_s_), deadline_(o.deadline_),
      pid_(std::exchange(o.pid_, -1)), timed_out_(o.timed_out_), pidfd_(std::move(o.pidfd_)) {}

hook& hook::operator=(hook&& o) noexcept {
    std::swap(name_, o.name_);
    std::swap(log_, o.log_);
    std::swap(time_limit_s_, o.time_limit_s_);
    std::swap(deadline_, o.deadline_);
    std::swap(pid_, o.pid_);
    std::swap(timed_out_, o.timed_out_);
    std::swap(pidfd_, o.pidfd_);
    return *this;
}

hook::~hook() {
    if (pid_ < 0) return;
    kill(-pid_, SIGTERM);
    pollfd p{pidfd_.get(), POLLIN, 0};
    if (poll(&p, 1, 2000) <= 0) kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

void hook::time_out() {
    timed_out_ = true;
    kill(-pid_, SIGKILL);
}

std::string hook::collect() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (timed_out_) return fmt::format("{} did not end within {} s (sweep.hook_limit_s): killed", name_, time_limit_s_);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
    const std::string how = WIFSIGNALED(status)
                                ? fmt::format("ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)))
                                : fmt::format("ended with status {}", WEXITSTATUS(status));
    const std::string said = last_line_of(log_);
    return fmt::format("{} {}{}; see {}", name_, how, said.empty() ? "" : ": " + said, log_.string());
}

} // namespace chimera::host
