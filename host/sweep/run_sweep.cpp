#include "sweep/run_sweep.hpp"

#include "provenance/collect.hpp"
#include "report/result_files.hpp"
#include "result/sealed_file.hpp"
#include "result/whole_file.hpp"
#include "run/interruption.hpp"
#include "statistics/description.hpp"
#include "sweep/cell_course.hpp"
#include "sweep/resume.hpp"
#include "sweep/server_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

/// The confidence interval of fewer runs is not reliable.
constexpr std::size_t fewest_runs_for_a_ci = 3;
/// A cell whose server goes away each time fails in the end.
constexpr int most_tries = 3;
/// After a look that found a server away. Each look may hold the sweep up for seconds.
constexpr std::chrono::milliseconds look_every{500};

class supervisor {
  public:
    supervisor(const sweep_definition& sweep, const sweep_settings& settings, const sweep_events& events)
        : sweep_(sweep), settings_(settings), events_(events), journal_(open()),
          wanted_(settings.cells.begin(), settings.cells.end()),
          servers_(std::chrono::duration<double>(sweep.conduct.wait_for_server_s),
                   [this](const std::string& text) { warn(text); }) {
        folder_state found =
            look_at_folder(sweep_, settings_.folder, settings_.cells, journal_.entries(), settings_.retry_failed);
        // Only now: a refused sweep must not change the folder.
        remove_leftovers(settings_.folder);
        write_whole(settings_.folder / "sweep.json", sealed_document(result_of(sweep_)));
        times_ = found.times;
        for (const auto& [cell, entry] : found.done) count(cell, entry);
        restore_profiles();
        for (const repeated_cell& r : found.repeated) give_up(r);
        todo_ = std::move(found.todo);
        now_.pid = getpid();
        now_.began = utc_now();
        now_.jobs = settings_.jobs;
        now_.wanted = settings_.cells.size();
        for (auto& [cell, entry] : found.finished) record(cell, std::move(entry));
    }
    ~supervisor() {
        std::error_code ignored;
        fs::remove(file_of_now(settings_.folder), ignored);
    }
    supervisor(const supervisor&) = delete;
    supervisor& operator=(const supervisor&) = delete;

    sweep_end run() {
        const sigset_t ending = ending_signals();
        const auto signals = sdk::owned_fd::checked(signalfd(-1, &ending, SFD_CLOEXEC), "signalfd");
        if (events_.begun) events_.begun(progress());
        for (;;) {
            if (end_is_asked()) return sweep_end::interrupted; // also one of before this sweep began
            begin_cells();
            if (const std::string gone = measure_cells(); !gone.empty()) {
                warn(gone);
                return sweep_end::server_gone;
            }
            tell_now();
            if (running_.empty() && next_ == todo_.size()) return sweep_end::complete;
            if (wait(signals.get())) return sweep_end::interrupted; // the courses end with this object
            collect_ended();
        }
    }

    /// The entries of the wanted cells.
    std::vector<cell_result> entries() const {
        std::map<std::string, sweep_cell> by_name;
        for (const sweep_cell& c : wanted_) by_name.emplace(cell_name(sweep_, c), c);
        std::vector<cell_result> out;
        for (const cell_result& e : journal_.entries())
            if (by_name.contains(folder_of(e))) out.push_back(e);
        return out;
    }

  private:
    struct running_cell {
        sweep_cell cell;
        cell_course course;
        bool server_was_away = false;
    };

    sweep_journal open() {
        check_folder(settings_);
        make_folders(settings_.folder);
        return sweep_journal(settings_.folder);
    }

    const profile& profile_of(const sweep_cell& c) const { return sweep_.profiles.at(c.runtime).at(c.config); }
    fs::path group(const sweep_cell& c) const { return settings_.folder / group_name(sweep_, c); }

    void warn(const std::string& text) const {
        if (events_.warned) events_.warned(text);
    }

    /// The cell's folder is renamed first. If the sweep dies in between, the cell's line still says ok, and a cell that
    /// is ok without a folder is recognized as lost.
    void give_up(const repeated_cell& r) {
        const std::string kept = set_aside(group(r.cell), r.cell.run, r.ending);
        warn(fmt::format("{}; {} is run again{}", r.why, cell_name(sweep_, r.cell),
                         kept.empty() ? "" : fmt::format(", what is left of it is kept as {}", kept)));
        if (!r.lost) return;
        cell_result e = entry_for(r.cell);
        e.status = cell_status::lost;
        e.message = kept.empty() ? r.why : fmt::format("{}; kept as {}", r.why, kept);
        journal_.append(std::move(e));
    }

    /// profile.toml says how the finished cells were run. If it was changed since, it is written again.
    void restore_profiles() const {
        std::set<fs::path> seen;
        for (const sweep_cell& c : done_)
            if (seen.insert(group(c)).second)
                if (const std::string fault = fault_of_profile(group(c), config_hash(profile_of(c))); !fault.empty()) {
                    warn(fault + "; it is written anew, as the runs had it");
                    write_profile(group(c), profile_of(c));
                }
    }

    bool enough(const sweep_cell& c) const {
        const auto known = efficiencies_.find({c.runtime, c.config});
        if (sweep_.until_ci_pct <= 0 || known == efficiencies_.end() || known->second.size() < fewest_runs_for_a_ci)
            return false;
        const auto ci = statistics::describe(known->second).ci95;
        return ci && ci->high - ci->low <= sweep_.until_ci_pct;
    }

    /// As many as may run at once, and not before the pause is over.
    void begin_cells() {
        while (next_ < todo_.size()) {
            const sweep_cell c = todo_[next_];
            if (enough(c)) {
                ++next_;
                cell_result e;
                e.status = cell_status::not_needed;
                e.message =
                    fmt::format("the 95 % confidence interval was narrower than {} points", sweep_.until_ci_pct);
                record(c, std::move(e));
                continue;
            }
            if (running_.size() == static_cast<std::size_t>(settings_.jobs) || steady_clock::now() < pause_ends_)
                return;
            ++next_;
            begin(c);
        }
    }

    void begin(const sweep_cell& c) {
        journal_.check_there(); // before its folder is made again
        const fs::path folder = group(c);
        make_folders(folder);
        const profile& p = profile_of(c);
        write_profile(folder, p);
        fs::remove_all(folder / fmt::format("run_{}", c.run)); // left by a killed try
        running_.push_back({c, cell_course({.program = settings_.program,
                                            .group = folder,
                                            .sweep = sweep_.name,
                                            .runtime = sweep_.runtimes[c.runtime].name,
                                            .config = sweep_.configs[c.config].name,
                                            .run = c.run,
                                            .arguments = settings_.arguments,
                                            .api_key = settings_.api_key,
                                            .time_limit_s = p.measure.time_limit_s,
                                            .servers = urls_of(p),
                                            .conduct = sweep_.conduct})});
    }

    static std::vector<std::string> urls_of(const profile& p) {
        std::vector<std::string> out;
        for (const agent_spec& a : p.workload.agents)
            if (!a.url.empty() && std::ranges::find(out, a.url) == out.end()) out.push_back(a.url);
        return out;
    }

    /// Starts the processes of the cells whose servers are there. Returns why the sweep ends; empty: it goes on.
    std::string measure_cells() {
        if (steady_clock::now() < next_look_) return "";
        now_.awaited.reset();
        for (running_cell& r : running_) {
            if (r.course.at() != cell_course::stage::ready) continue;
            const profile& p = profile_of(r.cell);
            if (servers_.all_there(p)) {
                r.course.measure();
                continue;
            }
            next_look_ = steady_clock::now() + look_every;
            now_.awaited = servers_.awaited();
            if (std::string gone = servers_.given_up(p); !gone.empty())
                return gone + "; the sweep ends here, and --resume goes on when the server is back";
        }
        return "";
    }

    bool somebody_waits() const {
        return std::ranges::any_of(running_,
                                   [](const running_cell& r) { return r.course.at() == cell_course::stage::ready; });
    }

    /// Waits until there is something to do. True: a signal asks to end.
    bool wait(int signals) {
        std::vector<pollfd> fds{{signals, POLLIN, 0}};
        auto first = steady_clock::time_point::max();
        for (const running_cell& r : running_) {
            fds.push_back({r.course.end_fd(), POLLIN, 0}); // -1 is ignored
            first = std::min(first, r.course.deadline());
        }
        const auto now = steady_clock::now();
        if (somebody_waits()) first = std::min(first, next_look_);
        if (next_ < todo_.size() && running_.size() < static_cast<std::size_t>(settings_.jobs))
            first = std::min(first, pause_ends_); // also one that has ended since begin_cells()
        const auto left = first == steady_clock::time_point::max()
                              ? std::chrono::milliseconds(3'600'000)
                              : std::clamp(std::chrono::ceil<std::chrono::milliseconds>(first - now),
                                           std::chrono::milliseconds(0), std::chrono::milliseconds(3'600'000));
        if (poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "poll");
        return (fds.front().revents & POLLIN) != 0;
    }

    void collect_ended() {
        for (std::size_t i = 0; i < running_.size();) {
            running_cell& r = running_[i];
            pollfd p{r.course.end_fd(), POLLIN, 0};
            const bool ended = p.fd >= 0 && (poll(&p, 1, 0) > 0 || steady_clock::now() >= r.course.deadline());
            if (ended) {
                r.course.advance();
                if (r.course.at() == cell_course::stage::measured) { // after_cell may end or start the server
                    r.server_was_away = has_failed(r.course.result().status) && server_was_away(r);
                    r.course.finish();
                }
            }
            if (r.course.at() != cell_course::stage::over) {
                ++i;
                continue;
            }
            const sweep_cell done = r.cell;
            const bool again = r.server_was_away && tries_[done] < most_tries;
            cell_result e = r.course.result();
            running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
            pause_ends_ = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                                    std::chrono::duration<double>(sweep_.conduct.pause_s));
            if (again)
                repeat(done, std::move(e));
            else
                record(done, std::move(e));
        }
    }

    /// Right after the cell has failed, before its after_cell: its server cannot be reached, or was not there for one
    /// of its requests. The latter counts once for a cell, since a server that is full may refuse connections each
    /// time.
    bool server_was_away(const running_cell& r) {
        const profile& p = profile_of(r.cell);
        if (!servers_.looks() || watched_servers(p).empty()) return false;
        const int tried = ++tries_[r.cell];
        return !servers_.all_there(p) || (tried == 1 && found_no_server(group(r.cell), r.cell.run));
    }

    void repeat(const sweep_cell& c, cell_result e) {
        const std::string kept = set_aside(group(c), c.run, "failed");
        e.status = cell_status::interrupted;
        e.message = fmt::format("{}; its server went away: it is run again{}", e.message,
                                kept.empty() ? "" : ", this try is kept as " + kept);
        e.efficiency_pct.reset();
        e.metrics_crc32.reset();
        todo_.insert(todo_.begin() + static_cast<std::ptrdiff_t>(next_), c);
        journal_.append(entry_for(c, std::move(e)));
        tell(journal_.entries().back());
    }

    cell_result entry_for(const sweep_cell& c, cell_result e = {}) const {
        e.runtime = sweep_.runtimes[c.runtime].name;
        e.config = sweep_.configs[c.config].name;
        e.run = c.run;
        e.config_hash = config_hash(profile_of(c));
        return e;
    }

    void record(const sweep_cell& c, cell_result e) {
        if (profile_of(c).alerts.any() && e.status != cell_status::not_needed)
            e.alerts = tripped_alerts(group(c), c.run);
        journal_.append(entry_for(c, std::move(e)));
        const cell_result& entry = journal_.entries().back();
        times_.add(entry);
        count(c, entry);
        tell(entry);
    }

    void tell(const cell_result& entry) const {
        if (events_.told) events_.told(entry, progress());
    }

    sweep_progress progress() const { return {done_.size(), settings_.cells.size(), expected_s()}; }

    void count(const sweep_cell& c, const cell_result& e) {
        done_.insert(c);
        if (e.status == cell_status::ok && e.efficiency_pct)
            efficiencies_[{c.runtime, c.config}].push_back(*e.efficiency_pct);
    }

    std::optional<double> expected_s() const {
        double sum = 0;
        for (const sweep_cell& c : settings_.cells) {
            if (done_.contains(c)) continue;
            const auto each = times_.expected_s(sweep_.runtimes[c.runtime].name, sweep_.configs[c.config].name);
            if (!each) return std::nullopt;
            sum += *each + sweep_.conduct.pause_s;
        }
        return sum / settings_.jobs;
    }

    /// Writes running.json where what the sweep does has changed. That nobody can read it is no reason to end.
    void tell_now() {
        now_.cells.clear();
        for (const running_cell& r : running_)
            now_.cells.push_back({sweep_.runtimes[r.cell.runtime].name, sweep_.configs[r.cell.config].name, r.cell.run,
                                  name_of(r.course.at()), r.course.since()});
        std::string text = to_json(now_).dump() + '\n';
        if (text == told_now_) return;
        told_now_ = std::move(text);
        if (events_.changed) events_.changed(now_);
        try {
            whole_file file(file_of_now(settings_.folder));
            file.append(told_now_);
            file.commit_unsynced();
        } catch (const result_file_error&) {
            told_now_.clear();
        }
    }

    const sweep_definition& sweep_;
    const sweep_settings& settings_;
    const sweep_events& events_;
    sweep_journal journal_;
    const std::set<sweep_cell> wanted_; // all, or those of --only
    server_watch servers_;
    std::set<sweep_cell> done_;
    std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> efficiencies_; // by runtime and configuration
    cell_times times_;
    std::map<sweep_cell, int> tries_; // that failed while the server went away
    std::vector<sweep_cell> todo_;
    std::size_t next_ = 0;
    steady_clock::time_point pause_ends_{}, next_look_{};
    std::vector<running_cell> running_;
    sweep_now now_;
    std::string told_now_;
};

} // namespace

void check_folder(const sweep_settings& settings) {
    if (!settings.resume && fs::exists(settings.folder / "sweep.json"))
        throw std::runtime_error(
            fmt::format("{}: holds a sweep already; --resume goes on with it, --output-dir or another name begins anew",
                        settings.folder.string()));
}

sweep_end run_sweep(const sweep_definition& sweep, const sweep_settings& settings, const sweep_events& events,
                    std::vector<cell_result>& entries) {
    supervisor all(sweep, settings, events);
    const sweep_end end = all.run();
    entries = all.entries();
    return end;
}

} // namespace chimera::host
