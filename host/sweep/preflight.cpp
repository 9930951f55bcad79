#include "sweep/preflight.hpp"

#include "process/child_process.hpp"
#include "process/messages.hpp"
#include "process/secrets.hpp"
#include "protocol/excerpt.hpp"
#include "provenance/collect.hpp"
#include "provenance/in_words.hpp"
#include "run/ask_servers.hpp"
#include "run/interruption.hpp"
#include "sweep/server_watch.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
/// Below this not even the journal and a run or two fit.
constexpr std::uint64_t least_free = 2 * mib;
/// Where nothing is known about the size of a run.
constexpr std::uint64_t much_free = 64 * mib;
constexpr std::chrono::seconds answer_limit{15};

// ---- servers

/// A URL and a model that some cell asks it for, and a profile that does.
using questions = std::map<std::pair<std::string, std::string>, const profile*>;

questions questions_of(const sweep_definition& sweep, const std::vector<sweep_cell>& cells) {
    questions out;
    std::set<std::pair<std::size_t, std::size_t>> seen;
    for (const sweep_cell& c : cells) {
        if (!seen.insert({c.runtime, c.config}).second) continue;
        const profile& p = sweep.profiles.at(c.runtime).at(c.config);
        for (const agent_spec& a : p.workload.agents)
            if (!a.url.empty()) out.try_emplace({a.url, a.model}, &p);
    }
    return out;
}

/// What `run --ask-servers` prints about this profile. The profile goes to it in a file without a name.
class asking {
  public:
    asking(const profile& p, const preflight_settings& settings)
        : profile_(sdk::owned_fd::checked(memfd_create("profile.toml", 0), "memfd_create")),
          answer_(sdk::owned_fd::checked(memfd_create("answer.json", MFD_CLOEXEC), "memfd_create")),
          errors_(sdk::owned_fd::checked(memfd_create("errors", MFD_CLOEXEC), "memfd_create")) {
        const std::string text = to_toml(p);
        if (write(profile_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            throw std::system_error(errno, std::generic_category(), "a profile for the preflight cannot be written");
        std::vector<std::string> words{settings.program.string(), "run", "--profile",
                                       fmt::format("/proc/self/fd/{}", profile_.get()), "--ask-servers"};
        words.insert(words.end(), settings.arguments.begin(), settings.arguments.end());
        std::vector<std::string> environment;
        if (!settings.api_key.empty()) environment.push_back(fmt::format("{}={}", api_key_variable, settings.api_key));
        const sdk::owned_fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        wait_for(spawn_child(std::move(words), nothing.get(), answer_.get(), errors_.get(), std::move(environment)));
    }

    std::vector<server_told> servers() const {
        try {
            return from_json<std::vector<server_told>>(json::parse(content_of(answer_)), "servers");
        } catch (const std::exception&) { // it crashed: see why()
            return {};
        }
    }
    /// Why there is no answer.
    std::string why() const {
        const std::string text = content_of(errors_);
        const std::string_view said = trimmed(text);
        return said.empty() ? how_ended_ : excerpt(said.substr(said.rfind('\n') + 1), 300);
    }

  private:
    void wait_for(pid_t pid) {
        const auto until = std::chrono::steady_clock::now() + answer_limit;
        int status = 0;
        while (waitpid(pid, &status, WNOHANG) == 0) {
            if (end_is_asked() || std::chrono::steady_clock::now() > until) {
                kill(-pid, SIGKILL);
                waitpid(pid, &status, 0);
                how_ended_ = fmt::format("asking it took longer than {} s", answer_limit.count());
                return;
            }
            poll(nullptr, 0, 10);
        }
        if (WIFSIGNALED(status)) how_ended_ = fmt::format("asking it ended by signal {}", WTERMSIG(status));
    }

    static std::string content_of(const sdk::owned_fd& file) {
        std::string text(static_cast<std::size_t>(std::max<off_t>(lseek(file.get(), 0, SEEK_END), 0)), '\0');
        const ssize_t n = pread(file.get(), text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        return text;
    }

    sdk::owned_fd profile_, answer_, errors_;
    std::string how_ended_ = "asking it gave no answer";
};

/// may_come: before_cell may change what is not there now.
void judge_models(const std::string& url, const server_told& told, bool may_come, preflight& out) {
    for (const asked_model& m : told.models) {
        if (m.there.value_or(true)) continue;
        const bool is_ollama = told.identity.software == "Ollama";
        (may_come ? out.warnings : out.errors)
            .push_back(fmt::format("{}: has no model \"{}\"; {}{}{}", url, m.name,
                                   suggest(m.name, told.offered.value_or(std::vector<std::string>())),
                                   is_ollama ? fmt::format(" (ollama pull {} fetches it)", m.name) : "",
                                   may_come ? "; before_cell has to bring it" : ""));
    }
    if (!told.offered && !told.models.empty())
        out.warnings.push_back(fmt::format("{}: gives no list of its models, so nobody knows whether \"{}\" is there",
                                           url, told.models.front().name));
}

void judge_server(const std::string& url, const server_told& told, bool may_come, preflight& out) {
    if (!told.answered) {
        (may_come ? out.warnings : out.errors)
            .push_back(fmt::format("{}: does not answer: {}{}", url, told.fault,
                                   may_come ? "; before_cell has to start it anew" : ""));
        return;
    }
    judge_models(url, told, may_come, out);
    const std::string who = in_words(told.identity);
    out.found.push_back(fmt::format("{}: {}", url, who.empty() ? "answers" : who));
}

void look_at_servers(const sweep_definition& sweep, const preflight_settings& settings, preflight& out) {
    const questions all = questions_of(sweep, settings.cells);
    const bool may_come = !sweep.conduct.before_cell.empty();
    std::set<std::string> looked, faulty; // faulty: without secrets, as those who are asked say their URLs
    for (const auto& [question, p] : all) {
        if (end_is_asked()) return;
        const auto& [url, model] = question;
        const auto watched = watched_servers(*p);
        if (!looked.insert(url).second || std::ranges::find(watched, url) == watched.end()) continue;
        if (const std::string why = why_unreachable(url); !why.empty()) {
            faulty.insert(without_url_secrets(url));
            (may_come ? out.warnings : out.errors)
                .push_back(
                    fmt::format("{}: cannot be reached: {}; {}", without_url_secrets(url), why,
                                may_come ? "before_cell has to start it" : "start the server, or correct its URL"));
        }
    }
    std::set<std::pair<std::string, std::string>> answered;
    for (const auto& [question, p] : all) {
        if (faulty.contains(without_url_secrets(question.first)) || answered.contains(question)) continue;
        const asking asked(*p, settings);
        if (end_is_asked()) return;
        const std::vector<server_told> told = asked.servers();
        if (told.empty()) {
            out.warnings.push_back(fmt::format("{}: can be reached, but could not be asked: {}",
                                               without_url_secrets(question.first), asked.why()));
            answered.insert(question);
        }
        for (const server_told& server : told) {
            if (server.identity.url == "simulator") continue;
            judge_server(server.identity.url, server, may_come, out);
            if (!server.answered) faulty.insert(server.identity.url);
        }
        for (const agent_spec& a : p->workload.agents) answered.insert({a.url, a.model});
    }
    for (auto* list : {&out.errors, &out.warnings, &out.found}) {
        std::set<std::string> seen; // profiles share servers
        std::erase_if(*list, [&seen](const std::string& text) { return !seen.insert(text).second; });
    }
}

} // namespace

preflight look_before_sweep(const sweep_definition& sweep, const preflight_settings& settings) {
    preflight out;
    if (settings.cells.empty()) return out;
    if (const auto free = free_bytes(settings.folder)) {
        const auto one = bytes_of_a_run(settings.folder);
        judge_disk(*free, one ? std::optional(*one * settings.cells.size()) : std::nullopt, settings.folder, out);
    }
    for (const std::string& warning : {clock_warning(), governor_warning(this_machine().governor)})
        if (!warning.empty()) out.warnings.push_back(warning);
    look_at_servers(sweep, settings, out);
    out.interrupted = end_is_asked();
    return out;
}

std::optional<std::uint64_t> free_bytes(const fs::path& folder) {
    std::error_code error;
    fs::path there = fs::absolute(folder, error);
    while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
    struct statvfs space {};
    if (statvfs(there.c_str(), &space) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
}

std::optional<std::uint64_t> bytes_of_a_run(const fs::path& folder) {
    constexpr std::size_t enough = 50;
    std::uint64_t bytes = 0;
    std::size_t runs = 0;
    std::error_code ignored;
    for (fs::recursive_directory_iterator it(folder, ignored), end; it != end && runs < enough; it.increment(ignored)) {
        if (it.depth() > 2) it.disable_recursion_pending();
        if (it->path().filename() != "metrics.json") continue;
        ++runs;
        for (const auto& file : fs::directory_iterator(it->path().parent_path(), ignored))
            if (file.is_regular_file(ignored)) bytes += file.file_size(ignored);
    }
    return runs == 0 ? std::nullopt : std::optional(bytes / runs);
}

void judge_disk(std::uint64_t free, std::optional<std::uint64_t> needed, const fs::path& folder, preflight& out) {
    const auto in_mib = [](std::uint64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / mib); };
    if (free < least_free)
        out.errors.push_back(fmt::format("{}: only {} are free there; make room, or use another --output-dir",
                                         folder.string(), in_mib(free)));
    else if (needed && free < *needed)
        out.warnings.push_back(fmt::format("{}: {} are free there, and the cells that are left take about {}",
                                           folder.string(), in_mib(free), in_mib(*needed)));
    else if (!needed && free < much_free)
        out.warnings.push_back(fmt::format("{}: only {} are free there", folder.string(), in_mib(free)));
}

std::string clock_warning() {
    timex state{};
    const int rc = adjtimex(&state);
    if (rc != TIME_ERROR && (rc < 0 || (static_cast<unsigned>(state.status) & STA_UNSYNC) == 0)) return "";
    return "the clock of this machine is not synchronized (adjtimex): durations are right, times of day may not be "
           "those "
           "of the servers' logs";
}

std::string governor_warning(const std::optional<std::string>& governor) {
    if (!governor || *governor == "performance") return "";
    return fmt::format("the CPU frequency governor is {}: the clients' own times depend on what ran before; cpupower "
                       "frequency-set -g performance ends that",
                       *governor);
}

} // namespace chimera::host
