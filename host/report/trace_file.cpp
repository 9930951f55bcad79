#include "report/trace_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace chimera::host {
namespace {

constexpr std::string_view closing = "\n]}\n";

std::string name_of(const planned_execution& x, const profile& p) {
    return fmt::format("{}: {}", x.run == 0 ? "warm-up" : fmt::format("run {}", x.run),
                       x.concurrent ? "all together" : p.workload.agents[x.agents.front()].id + " alone");
}

/// False: errno says why.
bool write_all(int fd, std::string_view text, std::size_t at) {
    while (!text.empty()) {
        const ssize_t n = pwrite(fd, text.data(), text.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
        at += static_cast<std::size_t>(n);
    }
    return true;
}

} // namespace

trace_file::trace_file(std::filesystem::path path, const profile& p)
    : path_(std::move(path)), profile_(p), events_(p.measure.long_poll_ms),
      fd_(open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
    if (!fd_) throw std::system_error(errno, std::generic_category(), path_.string() + ": the trace cannot be written");
    const nlohmann::ordered_json about{{"program", "chimera-host"},
                                       {"profile", p.name},
                                       {"executor", p.executor.plugin},
                                       {"foreign", p.foreign ? p.foreign->plugin : ""},
                                       {"transport", p.transport.plugin}};
    write_at_end(R"({"displayTimeUnit":"ms","otherData":)" + about.dump() + R"(,"traceEvents":[)");
}

void trace_file::add(const planned_execution& planned, const execution_record& x) {
    const std::string events = events_.render(name_of(planned, profile_), x);
    write_at_end((empty_ ? "\n" : ",\n") + events);
    empty_ = false;
}

void trace_file::write_at_end(std::string_view text) {
    if (!write_all(fd_.get(), std::string(text) + std::string(closing), end_)) {
        const int why = errno;
        if (end_ > 0 && write_all(fd_.get(), closing, end_) &&
            ftruncate(fd_.get(), static_cast<off_t>(end_ + closing.size())) != 0)
            throw std::system_error(errno, std::generic_category(), path_.string() + ": the trace is cut off");
        throw std::system_error(why, std::generic_category(), path_.string() + ": the trace cannot be written");
    }
    end_ += text.size();
}

} // namespace chimera::host
