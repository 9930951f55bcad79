#include "sweep/hook.hpp"

#include "process/child_process.hpp"
#include "protocol/excerpt.hpp"
#include "result/whole_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/wait.h>

namespace chimera::host {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t longest_excerpt = 200;

sdk::owned_fd open_file(const char* path, int flags) {
    sdk::owned_fd fd(open(path, flags | O_CLOEXEC, 0644));
    if (!fd) throw std::system_error(errno, std::generic_category(), fmt::format("{}: cannot be opened", path));
    return fd;
}

pid_t started(const std::string& line, const std::filesystem::path& log, std::vector<std::string> environment) {
    const sdk::owned_fd in = open_file("/dev/null", O_RDONLY),
                        out = open_file(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC);
    return spawn_child({"/bin/sh", "-c", line}, in.get(), out.get(), out.get(), std::move(environment),
                       pipe_signals::restored);
}

steady_clock::duration duration_of(double seconds) {
    return std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
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
      child_(started(line, log_, std::move(environment)), steady_clock::now() + duration_of(time_limit_s)) {}

std::string hook::collect() {
    const int status = child_.wait();
    if (child_.timed_out())
        return fmt::format("{} did not end within {} s (sweep.hook_limit_s): killed", name_, time_limit_s_);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
    const std::string how = WIFSIGNALED(status)
                                ? fmt::format("ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)))
                                : fmt::format("ended with status {}", WEXITSTATUS(status));
    const std::string said = last_line_of(log_);
    return fmt::format("{} {}{}; see {}", name_, how, said.empty() ? "" : ": " + said, log_.string());
}

} // namespace chimera::host
