#include "sweep/cell_process.hpp"

#include "process/child_process.hpp"
#include "process/secrets.hpp"
#include "protocol/excerpt.hpp"
#include "result/sealed_file.hpp"
#include "result/whole_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

/// The process keeps its own time limit; after it, it has this long to end in order.
constexpr std::chrono::seconds grace{10};

fs::path log_file(const fs::path& group, int run, const char* ending) {
    return group / "logs" / fmt::format("run_{}.{}", run, ending);
}

std::string last_line(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

/// Of a message. A line of standard error may be of any length, and a hook gets the message in its environment, where
/// the kernel takes 128 KiB at most.
constexpr std::size_t longest_message = 4096;

/// Why a process that ended by itself failed: the first error of its summary, or its last line on standard error.
std::string reason(const fs::path& group, int run, int status) {
    const auto summary = nlohmann::json::parse(read_whole(log_file(group, run, "json")), nullptr, false);
    if (summary.is_object() && summary.contains("errors") && !summary["errors"].empty())
        return excerpt(summary["errors"][0].value("message", ""), longest_message);
    const std::string said = last_line(read_whole(log_file(group, run, "err")));
    return said.empty() ? fmt::format("ended with status {}", status) : excerpt(said, longest_message);
}

/// Whether a file of lines is there and its last line is complete.
bool ends_whole(const fs::path& file) {
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return false;
    const std::string text = read_whole(file, most_lines_bytes);
    return text.empty() || text.ends_with('\n');
}

[[noreturn]] void fail_for_lack_of(const fs::path& folder) {
    throw std::runtime_error(
        fmt::format("{}: is gone: somebody removed it, or a folder above it, while the sweep ran", folder.string()));
}

sdk::owned_fd open_log(const fs::path& file) {
    sdk::owned_fd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd)
        throw std::system_error(errno, std::generic_category(), fmt::format("{}: cannot be written", file.string()));
    return fd;
}

} // namespace

cell_process::cell_process(const fs::path& program, const fs::path& group, int run,
                           const std::vector<std::string>& more, const std::string& api_key, double time_limit_s)
    : group_(group), run_(run), time_limit_s_(time_limit_s), begin_(steady_clock::now()),
      child_(start(program, more, api_key),
             begin_ + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(time_limit_s)) +
                 grace) {}

pid_t cell_process::start(const fs::path& program, const std::vector<std::string>& more, const std::string& api_key) {
    fs::create_directories(group_ / "logs");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    const sdk::owned_fd read_end(ends[0]);
    stdin_ = sdk::owned_fd(ends[1]);
    std::vector<std::string> words{
        program.string(), "run",  "--profile", (group_ / "profile.toml").string(), "--cell", fmt::format("{}", run_),
        "--json",         "--ui", "none"};
    words.insert(words.end(), more.begin(), more.end());
    const sdk::owned_fd out = open_log(log_file(group_, run_, "json")), err = open_log(log_file(group_, run_, "err"));
    std::vector<std::string> environment;
    if (!api_key.empty()) environment.push_back(fmt::format("{}={}", api_key_variable, api_key));
    return spawn_child(std::move(words), read_end.get(), out.get(), err.get(), std::move(environment));
}

cell_result cell_process::collect() {
    const int status = child_.wait();
    cell_result e;
    e.wall_s = std::chrono::duration<double>(steady_clock::now() - begin_).count();
    e.run = run_;
    if (child_.timed_out()) {
        e.status = cell_status::timed_out;
        e.message = fmt::format("no end within the time limit of {} s: killed", time_limit_s_);
        return e;
    }
    if (WIFSIGNALED(status)) {
        const int number = WTERMSIG(status);
        e.status = cell_status::crashed;
        e.message = fmt::format("ended by signal {} ({})", number, strsignal(number));
        return e;
    }
    e.exit_status = WEXITSTATUS(status);
    if (e.exit_status == cannot_write_status) {
        const std::string said =
            last_line(read_whole(log_file(group_, run_, "err"))); // this may not have been written either
        const fs::path folder = group_ / fmt::format("run_{}", run_);
        if (!fs::exists(folder)) fail_for_lack_of(folder);
        throw std::runtime_error(fmt::format("{}: its results could not be written{}", folder.string(),
                                             said.empty() ? ": is the disk full?" : ": " + said));
    }
    cell_on_disk run = look_at_run(group_, run_);
    if (run.there && run.fault.empty()) {
        e.efficiency_pct = run.entry.efficiency_pct;
        e.metrics_crc32 = run.entry.metrics_crc32;
    } else if (e.exit_status == 0) {
        if (!run.there) fail_for_lack_of(group_ / fmt::format("run_{}", run_));
        throw std::runtime_error(run.fault);
    }
    if (e.exit_status == timed_out_status) {
        e.status = cell_status::timed_out;
        e.message = fmt::format("no end within the time limit of {} s", time_limit_s_);
    } else if (e.exit_status != 0) {
        e.status = cell_status::failed;
        e.message = reason(group_, run_, *e.exit_status);
    }
    return e;
}

cell_on_disk look_at_run(const fs::path& group, int run, run_claims claimed) {
    const fs::path folder = group / fmt::format("run_{}", run), file = folder / "metrics.json";
    cell_on_disk out;
    std::error_code ignored;
    out.there = fs::exists(file, ignored);
    if (!out.there) {
        out.fault = file.string() + ": is missing";
        return out;
    }
    try {
        claimed.number = run;
        const run_on_disk found = read_run(folder, claimed);
        out.entry.run = run;
        out.entry.config_hash = found.result.config_hash;
        out.entry.efficiency_pct = efficiency_of(found.result);
        if (!found.seal.empty()) out.entry.metrics_crc32 = found.seal;
        if (!found.result.complete) {
            out.entry.status = cell_status::failed;
            out.entry.message = "at least one request failed";
        }
        // If its checksum is recorded, fault_of_run() has compared it.
        if (!found.result.requests_file && !ends_whole(folder / "requests.jsonl"))
            out.fault = (folder / "requests.jsonl").string() + ": is missing or cut short";
    } catch (const std::exception& e) {
        out.fault = e.what();
    }
    return out;
}

std::vector<alert_result> tripped_alerts(const fs::path& group, int run) {
    std::vector<alert_result> out;
    const fs::path file = log_file(group, run, "json");
    try {
        const json summary = json::parse(read_whole(file));
        for (const json& alert : summary.value("alerts", json::array()))
            if (auto read = from_json<alert_result>(alert, file.string()); read.tripped) out.push_back(std::move(read));
    } catch (const std::exception&) { // a run that crashed has no summary
    }
    return out;
}

bool found_no_server(const fs::path& group, int run) {
    try {
        bool got_one = false, got_none = false;
        for (const auto& [line, place] : read_results_lines(group / fmt::format("run_{}", run) / "requests.jsonl")) {
            const auto request = from_json<request_result>(line, place);
            const bool connected = request.connected_ns || request.sent_ns;
            got_one = got_one || connected;
            got_none = got_none || (request.error && request.status.value_or(0) == 0 && !connected);
        }
        return got_one && got_none;
    } catch (const std::exception&) { // it crashed before it could write them
        return false;
    }
}

void die_with_parent() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pollfd p{STDIN_FILENO, POLLIN, 0}; // the sweep holds the other end; it may have ended before the line above
    if (poll(&p, 1, 0) > 0 && (p.revents & POLLHUP)) raise(SIGKILL);
}

} // namespace chimera::host
