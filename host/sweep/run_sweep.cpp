#include "sweep/run_sweep.hpp"

#include "report/result_files.hpp"
#include "result/sealed_file.hpp"
#include "result/whole_file.hpp"
#include "statistics/description.hpp"
#include "sweep/cell_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/signalfd.h>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

std::string fault_of(const fs::path& folder, const cell_result& e) {
    const run_claims claimed{.metrics_crc32 = e.metrics_crc32.value_or(""),
                             .config_hash = e.config_hash.value_or(""),
                             .number = e.run,
                             .efficiency_pct = e.efficiency_pct};
    return look_at_run((folder / folder_of(e)).parent_path(), e.run, claimed).fault;
}

/// Renames the rest of a run's folder: measured data is not deleted. Returns the new name; empty: there was no folder.
std::string set_aside(const fs::path& run) {
    if (!fs::exists(fs::symlink_status(run))) return "";
    fs::path aside = run.string() + ".damaged";
    for (int n = 2; fs::exists(fs::symlink_status(aside)); ++n) aside = fmt::format("{}.damaged-{}", run.string(), n);
    fs::rename(run, aside);
    return aside.filename().string();
}

/// The confidence interval of fewer runs is not reliable.
constexpr std::size_t fewest_runs_for_a_ci = 3;

class supervisor {
  public:
    supervisor(const sweep_definition& sweep, const sweep_settings& settings,
               const std::function<void(const cell_result&, const sweep_progress&)>& told)
        : sweep_(sweep), settings_(settings), told_(told), journal_(open()) {
        for (const sweep_cell& c : settings_.cells) wanted_.insert(c);
        for (const sweep_cell& c : plan_cells(sweep_)) by_name_.emplace(cell_name(sweep_, c), c);
        std::vector<std::pair<sweep_cell, std::string>> lost;
        for (const cell_result& e : journal_.entries()) take_over(e, lost);
        for (const sweep_cell& c : settings_.cells)
            if (!done_.contains(c)) todo_.push_back(c);
        check_unfinished(lost);
        // Only now: a refused sweep must not change the folder.
        remove_leftovers(settings_.folder);
        write_whole(settings_.folder / "sweep.json", sealed_document(result_of(sweep_)));
        restore_profiles();
        for (const auto& [cell, fault] : lost) give_up(cell, fault);
        adopt_finished();
    }

    sweep_end run() {
        sigset_t ending;
        sigemptyset(&ending);
        sigaddset(&ending, SIGINT);
        sigaddset(&ending, SIGTERM);
        const auto signals = sdk::owned_fd::checked(signalfd(-1, &ending, SFD_CLOEXEC), "signalfd");
        for (;;) {
            while (running_.size() < static_cast<std::size_t>(settings_.jobs) && next_ < todo_.size())
                start(todo_[next_++]);
            if (running_.empty()) return sweep_end::complete;
            if (wait(signals.get())) return sweep_end::interrupted; // the destructor ends what runs
            collect_ended();
        }
    }

    /// The entries of the wanted cells.
    std::vector<cell_result> entries() const {
        std::vector<cell_result> out;
        for (const cell_result& e : journal_.entries())
            if (wanted_.contains(by_name_.at(folder_of(e)))) out.push_back(e);
        return out;
    }

  private:
    sweep_journal open() {
        const fs::path document = settings_.folder / "sweep.json";
        if (fs::exists(document) && !settings_.resume)
            throw std::runtime_error(fmt::format(
                "{}: holds a sweep already; --resume goes on with it, --output-dir or another name begins anew",
                settings_.folder.string()));
        make_folders(settings_.folder);
        return sweep_journal(settings_.folder);
    }

    const profile& profile_of(const sweep_cell& c) const { return sweep_.profiles.at(c.runtime).at(c.config); }
    fs::path group(const sweep_cell& c) const { return settings_.folder / group_name(sweep_, c); }

    void check_hash(const sweep_cell& c, const std::string& hash) const {
        if (hash == config_hash(profile_of(c))) return;
        throw std::runtime_error(fmt::format("{}: {} was run with another configuration ({} then, {} now); put the "
                                             "profile back or use another --output-dir",
                                             settings_.folder.string(), cell_name(sweep_, c), hash,
                                             config_hash(profile_of(c))));
    }

    void take_over(const cell_result& e, std::vector<std::pair<sweep_cell, std::string>>& lost) {
        const std::string name = folder_of(e);
        const auto planned = by_name_.find(name);
        if (planned == by_name_.end())
            throw std::runtime_error(
                fmt::format("{}: holds {}, which this sweep does not have: another sweep of the same "
                            "name, or one with more; put the profile back or use another --output-dir",
                            settings_.folder.string(), name));
        check_hash(planned->second, e.config_hash.value_or(""));
        if (!wanted_.contains(planned->second) || e.status == cell_status::lost) return;
        std::string fault = e.status == cell_status::ok ? fault_of(settings_.folder, e) : "";
        if (fault.empty())
            count(planned->second, e);
        else
            lost.emplace_back(planned->second, std::move(fault));
    }

    void warn(const std::string& text) const {
        if (settings_.warned) settings_.warned(text);
    }

    /// The cell's folder is renamed first. If the sweep dies in between, the cell's line still says ok, and a cell that
    /// is ok without a folder is recognized as lost.
    void give_up(const sweep_cell& c, const std::string& fault) {
        const std::string kept = keep_aside(c, fault);
        cell_result e = entry_for(c);
        e.status = cell_status::lost;
        e.message = kept.empty() ? fault : fmt::format("{}; kept as {}", fault, kept);
        journal_.append(std::move(e));
    }

    std::string keep_aside(const sweep_cell& c, const std::string& fault) const {
        std::string kept = set_aside(group(c) / fmt::format("run_{}", c.run));
        warn(fmt::format("{}; {} is run again{}", fault, cell_name(sweep_, c),
                         kept.empty() ? "" : fmt::format(", what is left of it is kept as {}", kept)));
        return kept;
    }

    /// Checks the folders of cells without a line. The folder of a lost cell may hold anything.
    void check_unfinished(const std::vector<std::pair<sweep_cell, std::string>>& lost) const {
        for (const sweep_cell& c : todo_) {
            if (std::ranges::find(lost, c, &std::pair<sweep_cell, std::string>::first) != lost.end()) continue;
            if (const cell_on_disk run = look_at_run(group(c), c.run); run.there && run.fault.empty())
                check_hash(c, run.entry.config_hash.value_or(""));
        }
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

    /// A run that was complete on disk when the sweep was killed is a finished cell without a line. A failed run is run
    /// again, because its process's message is lost.
    void adopt_finished() {
        for (const sweep_cell& c : std::exchange(todo_, {})) {
            cell_on_disk run = look_at_run(group(c), c.run);
            if (run.there && run.fault.empty() && run.entry.status == cell_status::ok) {
                record(c, std::move(run.entry));
                continue;
            }
            if (run.there && !run.fault.empty()) keep_aside(c, run.fault);
            todo_.push_back(c);
        }
    }

    bool enough(const sweep_cell& c) const {
        const auto known = efficiencies_.find({c.runtime, c.config});
        if (sweep_.until_ci_pct <= 0 || known == efficiencies_.end() || known->second.size() < fewest_runs_for_a_ci)
            return false;
        const auto ci = statistics::describe(known->second).ci95;
        return ci && ci->high - ci->low <= sweep_.until_ci_pct;
    }

    void start(const sweep_cell& c) {
        if (enough(c)) {
            cell_result e;
            e.status = cell_status::not_needed;
            e.message = fmt::format("the 95 % confidence interval was narrower than {} points", sweep_.until_ci_pct);
            record(c, std::move(e));
            return;
        }
        journal_.check_there(); // before its folder is made again
        const fs::path folder = group(c);
        make_folders(folder);
        const profile& p = profile_of(c);
        write_profile(folder, p);
        fs::remove_all(folder / fmt::format("run_{}", c.run)); // left by a killed try
        running_.push_back({c, cell_process(settings_.program, folder, c.run, settings_.arguments, settings_.api_key,
                                            p.measure.time_limit_s)});
    }

    /// Waits until a cell has ended or its time is over. True: a signal asks to end.
    bool wait(int signals) {
        std::vector<pollfd> fds{{signals, POLLIN, 0}};
        auto first = steady_clock::time_point::max();
        for (const auto& [cell, process] : running_) {
            fds.push_back({process.end_fd(), POLLIN, 0});
            first = std::min(first, process.deadline());
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - steady_clock::now()).count();
        if (poll(fds.data(), fds.size(), static_cast<int>(std::clamp<long>(left, 0, 3'600'000))) < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "poll");
        return (fds.front().revents & POLLIN) != 0;
    }

    void collect_ended() {
        for (std::size_t i = 0; i < running_.size();) {
            auto& [cell, process] = running_[i];
            pollfd p{process.end_fd(), POLLIN, 0};
            if (poll(&p, 1, 0) == 0) {
                if (steady_clock::now() < process.deadline()) {
                    ++i;
                    continue;
                }
                process.time_out();
            }
            const sweep_cell done = cell;
            cell_result e = process.collect();
            running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
            record(done, std::move(e));
        }
    }

    cell_result entry_for(const sweep_cell& c, cell_result e = {}) const {
        e.runtime = sweep_.runtimes[c.runtime].name;
        e.config = sweep_.configs[c.config].name;
        e.run = c.run;
        e.config_hash = config_hash(profile_of(c));
        return e;
    }

    void record(const sweep_cell& c, cell_result e) {
        journal_.append(entry_for(c, std::move(e)));
        const cell_result& entry = journal_.entries().back();
        count(c, entry);
        told_(entry, {done_.size(), settings_.cells.size(), eta_s()});
    }

    void count(const sweep_cell& c, const cell_result& e) {
        done_.insert(c);
        if (e.status == cell_status::ok && e.efficiency_pct)
            efficiencies_[{c.runtime, c.config}].push_back(*e.efficiency_pct);
        if (e.wall_s) {
            timed_s_ += *e.wall_s;
            ++timed_;
        }
    }

    double eta_s() const {
        if (timed_ == 0) return 0;
        const double left = static_cast<double>(settings_.cells.size() - done_.size());
        return timed_s_ / static_cast<double>(timed_) * left / settings_.jobs;
    }

    const sweep_definition& sweep_;
    const sweep_settings& settings_;
    const std::function<void(const cell_result&, const sweep_progress&)>& told_;
    sweep_journal journal_;
    std::set<sweep_cell> wanted_;               // all, or those of --only
    std::map<std::string, sweep_cell> by_name_; // every cell of the sweep
    std::set<sweep_cell> done_;
    std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> efficiencies_; // by runtime and configuration
    double timed_s_ = 0;
    std::size_t timed_ = 0;
    std::vector<sweep_cell> todo_;
    std::size_t next_ = 0;
    std::vector<std::pair<sweep_cell, cell_process>> running_;
};

} // namespace

std::map<std::string, std::string> lost_cells(const sweep_definition& sweep, const sweep_settings& settings) {
    std::set<std::string> wanted;
    for (const sweep_cell& c : settings.cells) wanted.insert(cell_name(sweep, c));
    std::map<std::string, std::string> out;
    for (const cell_result& e : read_journal(settings.folder)) {
        if (!wanted.contains(folder_of(e))) continue;
        if (e.status == cell_status::lost) out.emplace(folder_of(e), e.message);
        if (e.status != cell_status::ok) continue;
        if (std::string fault = fault_of(settings.folder, e); !fault.empty())
            out.emplace(folder_of(e), std::move(fault));
    }
    return out;
}

sweep_end run_sweep(const sweep_definition& sweep, const sweep_settings& settings,
                    const std::function<void(const cell_result&, const sweep_progress&)>& told,
                    std::vector<cell_result>& entries) {
    supervisor all(sweep, settings, told);
    const sweep_end end = all.run();
    entries = all.entries();
    return end;
}

} // namespace chimera::host
