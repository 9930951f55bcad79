#include "sweep/resume.hpp"

#include "sweep/cell_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

std::string fault_of(const fs::path& folder, const cell_result& e) {
    const run_claims claimed{.metrics_crc32 = e.metrics_crc32.value_or(""),
                             .config_hash = e.config_hash.value_or(""),
                             .number = e.run,
                             .efficiency_pct = e.efficiency_pct};
    return look_at_run((folder / folder_of(e)).parent_path(), e.run, claimed).fault;
}

class look {
  public:
    look(const sweep_definition& sweep, const fs::path& folder, bool retry_failed)
        : sweep_(sweep), folder_(folder), retry_failed_(retry_failed) {
        for (const sweep_cell& c : plan_cells(sweep_)) by_name_.emplace(cell_name(sweep_, c), c);
    }

    folder_state at(const std::vector<sweep_cell>& wanted, const std::vector<cell_result>& entries) {
        const std::set<sweep_cell> among(wanted.begin(), wanted.end());
        for (const cell_result& e : entries) take(e, among);
        for (const sweep_cell& c : wanted)
            if (!over_.contains(c)) look_at_unlisted(c);
        return std::move(out_);
    }

  private:
    void check_hash(const sweep_cell& c, const std::string& hash) const {
        const profile& p = sweep_.profiles.at(c.runtime).at(c.config);
        if (hash == config_hash(p)) return;
        throw std::runtime_error(
            fmt::format("{}: {} was run with another configuration ({} then, {} now); put the profile back or use "
                        "another --output-dir",
                        folder_.string(), cell_name(sweep_, c), hash, config_hash(p)));
    }

    void take(const cell_result& e, const std::set<sweep_cell>& wanted) {
        const std::string name = folder_of(e);
        const auto planned = by_name_.find(name);
        if (planned == by_name_.end())
            throw std::runtime_error(
                fmt::format("{}: holds {}, which this sweep does not have: another sweep of the same name, or one with "
                            "more; put the profile back or use another --output-dir",
                            folder_.string(), name));
        const sweep_cell c = planned->second;
        check_hash(c, e.config_hash.value_or(""));
        out_.times.add(e);
        if (!wanted.contains(c) || !is_over(e.status)) return;
        std::string fault = e.status == cell_status::ok ? fault_of(folder_, e) : "";
        if (!fault.empty()) {
            repeat({c, std::move(fault), "damaged", true});
        } else if (retry_failed_ && has_failed(e.status)) {
            repeat({c,
                    fmt::format("{} {}{}", name, e.status == cell_status::timed_out ? "timed out" : word_of(e.status),
                                e.message.empty() ? "" : " (" + e.message + ")"),
                    "failed", false});
        } else {
            over_.insert(c);
            out_.done.emplace_back(c, e);
        }
    }

    void repeat(repeated_cell r) {
        repeated_.insert(r.cell);
        out_.repeated.push_back(std::move(r));
    }

    /// A run that was complete on disk when the sweep was killed is a finished cell without a line. A failed run is run
    /// again, because its process's message is lost. The folder of a lost cell may hold anything.
    void look_at_unlisted(const sweep_cell& c) {
        if (!repeated_.contains(c)) {
            cell_on_disk run = look_at_run(folder_ / group_name(sweep_, c), c.run);
            if (run.there && run.fault.empty()) {
                check_hash(c, run.entry.config_hash.value_or(""));
                if (run.entry.status == cell_status::ok) {
                    out_.finished.emplace_back(c, std::move(run.entry));
                    return;
                }
            } else if (run.there) {
                repeat({c, run.fault, "damaged", false});
            }
        }
        out_.todo.push_back(c);
    }

    const sweep_definition& sweep_;
    const fs::path& folder_;
    const bool retry_failed_;
    std::map<std::string, sweep_cell> by_name_; // every cell of the sweep
    std::set<sweep_cell> over_, repeated_;
    folder_state out_;
};

/// The files of a run's process and of its hooks: <group>/logs/run_3.json, ...
constexpr const char* log_endings[] = {"json", "err", "before_cell.log", "after_cell.log"};

bool is_there(const fs::path& file) { return fs::exists(fs::symlink_status(file)); }

void rename_aside(const fs::path& from, const std::string& to) {
    if (is_there(from)) fs::rename(from, from.parent_path() / to);
}

} // namespace

std::optional<double> folder_state::expected_s(const sweep_definition& sweep, int jobs) const {
    double sum = 0;
    for (const sweep_cell& c : todo) {
        const auto each = times.expected_s(sweep.runtimes[c.runtime].name, sweep.configs[c.config].name);
        if (!each) return std::nullopt;
        sum += *each + sweep.conduct.pause_s;
    }
    return sum / jobs;
}

folder_state look_at_folder(const sweep_definition& sweep, const fs::path& folder,
                            const std::vector<sweep_cell>& wanted, const std::vector<cell_result>& entries,
                            bool retry_failed) {
    return look(sweep, folder, retry_failed).at(wanted, entries);
}

std::string set_aside(const fs::path& group, int run, const std::string& ending) {
    const std::string name = fmt::format("run_{}", run);
    const fs::path folder = group / name, logs = group / "logs";
    std::string suffix = ending;
    const auto is_taken = [&] {
        const std::string kept = name + '.' + suffix;
        return is_there(group / kept) || std::ranges::any_of(log_endings, [&](const char* ending_of_log) {
                   return is_there(logs / (kept + '.' + ending_of_log));
               });
    };
    for (int n = 2; is_taken(); ++n) suffix = fmt::format("{}-{}", ending, n);
    for (const char* log : log_endings) rename_aside(logs / (name + '.' + log), name + '.' + suffix + '.' + log);
    if (!is_there(folder)) return "";
    fs::rename(folder, group / (name + '.' + suffix));
    return name + '.' + suffix;
}

} // namespace chimera::host
