#include "study/recovery.hpp"

#include "report/result_files.hpp"
#include "result/campaign_result.hpp"
#include "result/request_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

/// The N of "run_N"; 0 for another name.
int run_number(const std::string& name) {
    constexpr std::string_view prefix = "run_";
    int n = 0;
    if (!name.starts_with(prefix)) return 0;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), n);
    return error == std::errc() && end == name.data() + name.size() && n > 0 ? n : 0;
}

/// Numbers that a profile wrote as 512.0 are whole.
void make_whole(json& parameters) {
    for (json& value : parameters) {
        constexpr double exact = 9e15;
        if (!value.is_number_float()) continue;
        const double number = value.get<double>();
        if (std::trunc(number) == number && std::abs(number) < exact) value = static_cast<std::int64_t>(number);
    }
}

/// A number of runs or cells. One beyond these would be cut on its way into an int, or wrap around.
void check_count(const std::string& place, const char* key, std::int64_t n, std::int64_t least) {
    constexpr std::int64_t most = 1'000'000'000;
    if (n < least || n > most)
        throw results_error(fmt::format("{}: {} is {}; expected {} to {}", place, key, n, least, most));
}

/// Takes all figures from a run whose files are missing or are not the ones that were written.
void mark_damaged(study_run& run, std::string message) {
    study_run left;
    left.runtime = run.runtime;
    left.config = run.config;
    left.number = run.number;
    left.folder = run.folder;
    left.status = "damaged";
    left.message = std::move(message);
    run = std::move(left);
}

/// Throws results_error with all damage where the study has damaged runs and no others.
void check_something_left(const study& s) {
    if (const auto damage = damage_of(s); !damage.empty() && std::ranges::all_of(s.runs, &study_run::damaged))
        throw results_error(damage);
}

std::string first_error(const run_result& run) {
    for (const agent_result& a : run.concurrent.agents)
        if (!a.error.empty()) return fmt::format("agent {}: {}", a.id, a.error);
    return "not every request succeeded";
}

template <class T>
std::size_t position(const std::vector<T>& items, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(items, name, &T::name) - items.begin());
}

/// "pool/plain/run 3": what a sweep's journal has lines of.
std::string cell_key(const std::string& runtime, const std::string& config, std::int64_t run) {
    return fmt::format("{}/{}/run {}", runtime, config, run);
}

/// Collects the faults of all files, so that one look tells everything that is wrong.
class study_reader {
  public:
    explicit study_reader(const fs::path& given) { s_.path = given; }

    study sweep(const fs::path& folder);
    study campaign(const fs::path& summary, bool listed_only);
    study single_run(const fs::path& folder);

  private:
    /// A run with a fault becomes a damaged run.
    void add_run(study_run, const run_claims& = {});
    void add_cell(const cell_result&, const std::string& place, const fs::path& folder);
    /// The last line of each cell counts: one that was lost has an older one.
    void add_cells(const fs::path& folder);
    void look_for_unlisted(const fs::path& folder);
    void check_profile(const fs::path& folder, const std::string& config_hash);
    study finished();

    study s_;
    std::map<std::string, std::string> cell_places_; // of each cell that was seen
    std::set<fs::path> profiles_;                    // the folders whose profile.toml was looked at
};

void study_reader::add_run(study_run run, const run_claims& claimed) {
    try {
        // A failed cell may have no file: the journal says what became of it.
        if (run.ok() || fs::exists(run.folder / "metrics.json")) run.result = read_run(run.folder, claimed).result;
        if (run.ok() && !run.result.complete) {
            run.status = "failed";
            run.message = first_error(run.result);
        }
        for (const auto& [name, definition] : run.result.definitions) s_.definitions.try_emplace(name, definition);
    } catch (const results_error& e) {
        mark_damaged(run, e.what());
    }
    s_.runs.push_back(std::move(run));
}

void study_reader::add_cell(const cell_result& cell, const std::string& place, const fs::path& folder) {
    check_count(place, "run", cell.run, 1);
    study_run run;
    run.runtime = cell.runtime;
    run.config = cell.config;
    run.number = cell.run;
    run.status = word_of(cell.status);
    run.message = cell.message;
    run.alerts = cell.alerts;
    const fs::path below = cell.folder;
    if (below.is_absolute() || std::ranges::find(below, "..") != below.end())
        throw results_error(fmt::format("{}: folder \"{}\" is not in the sweep's folder", place, below.string()));
    run.folder = folder / below;
    if (position(s_.runtimes, run.runtime) == s_.runtimes.size())
        throw results_error(fmt::format("{}: runtime \"{}\" is not in sweep.json", place, run.runtime));
    if (position(s_.configs, run.config) == s_.configs.size())
        throw results_error(fmt::format("{}: configuration \"{}\" is not in sweep.json", place, run.config));
    const run_claims claimed{.metrics_crc32 = cell.metrics_crc32.value_or(""),
                             .config_hash = cell.config_hash.value_or(""),
                             .number = run.number,
                             .efficiency_pct = cell.efficiency_pct};
    if (cell.status == cell_status::not_needed) {
        ++s_.cells_not_needed;
    } else if (cell.status == cell_status::interrupted) {
        return; // its server went away; it has not been run again yet
    } else if (cell.status == cell_status::lost) {
        mark_damaged(run, fmt::format("{}: {} was lost and has not been run again; sweep --resume runs it ({})", place,
                                      run.folder.lexically_relative(folder).string(), run.message));
        s_.runs.push_back(std::move(run));
    } else {
        check_profile(run.folder.parent_path(), claimed.config_hash);
        add_run(std::move(run), claimed);
    }
}

void study_reader::add_cells(const fs::path& folder) {
    const sound_lines all = read_sound_lines(folder / "cells.jsonl");
    s_.damage = all.faults;
    std::vector<std::pair<cell_result, std::string>> cells; // with their places
    std::map<std::string, std::size_t> last;
    for (const auto& [line, place] : all.lines) {
        try {
            auto cell = from_json<cell_result>(line, place);
            last[cell_key(cell.runtime, cell.config, cell.run)] = cells.size();
            cells.emplace_back(std::move(cell), place);
        } catch (const results_error& e) {
            s_.damage.emplace_back(e.what());
        }
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const auto& [cell, place] = cells[i];
        const std::string key = cell_key(cell.runtime, cell.config, cell.run);
        if (last[key] != i) continue;
        cell_places_.emplace(key, place);
        const std::size_t before = s_.runs.size();
        try {
            add_cell(cell, place, folder); // lines are in the order in which cells ended
            if (s_.runs.size() > before) s_.runs.back().order = before;
        } catch (const results_error& e) {
            s_.damage.emplace_back(e.what());
        }
    }
}

/// Finished runs without a line: the sweep was killed before it could write one, or the line was lost.
void study_reader::look_for_unlisted(const fs::path& folder) {
    for (const planned_runtime& r : s_.runtimes)
        for (const planned_configuration& c : s_.configs) {
            std::error_code ignored;
            for (const auto& entry : fs::directory_iterator(folder / r.name / c.name, ignored)) {
                const int number = run_number(entry.path().filename());
                if (number == 0 || cell_places_.contains(cell_key(r.name, c.name, number))) continue;
                const fs::path file = entry.path() / "metrics.json";
                if (!fs::exists(file)) continue; // it was being run
                try {
                    if (!read_results<run_result>(file).complete) continue;
                } catch (const results_error&) { // then it does not matter what it holds
                }
                s_.damage.push_back(fmt::format("{}: has no line in cells.jsonl, and is in no figure; sweep --resume "
                                                "takes it up, unless a sweep that runs is about to",
                                                file.string()));
            }
        }
}

void study_reader::check_profile(const fs::path& folder, const std::string& config_hash) {
    if (!profiles_.insert(folder).second) return;
    if (std::string fault = fault_of_profile(folder, config_hash); !fault.empty())
        s_.damage.push_back(std::move(fault));
}

study study_reader::sweep(const fs::path& folder) {
    const fs::path file = folder / "sweep.json";
    const json document = read_results_document(file).content;
    check_version(document, file.string(), sweep_schema_version, sweep_schema_version);
    auto sweep = from_json<sweep_result>(document, file.string());
    check_count(file.string(), "cells_planned", sweep.cells_planned, 0);
    s_.sweep = true;
    s_.name = std::move(sweep.name);
    s_.source = std::move(sweep.source);
    s_.description = sweep.description.value_or("");
    s_.question = sweep.question.value_or("");
    s_.backend = std::move(sweep.backend);
    s_.order = s_.source == "chimera" ? "interleaved, drawn from the seed" : std::move(sweep.order); // ours all are
    s_.profile = sweep.profile.value_or("");
    s_.options = std::move(sweep.options);
    s_.seed = sweep.seed;
    s_.cells_planned = static_cast<std::size_t>(sweep.cells_planned);
    s_.runtimes = std::move(sweep.runtimes);
    s_.configs = std::move(sweep.configs);
    for (planned_configuration& c : s_.configs) make_whole(c.parameters);
    for (planned_runtime& r : s_.runtimes)
        if (r.description == "") r.description.reset(); // older sweeps have it so
    if (!sweep.questions.is_null())
        s_.questions.push_back(from_json<question_set>(sweep.questions, file.string() + ": questions"));
    const fs::path cells = folder / "cells.jsonl";
    if (!fs::exists(cells))
        throw results_error(fmt::format("{}: no cell of this sweep is finished yet", folder.string()));
    add_cells(folder);
    look_for_unlisted(folder);
    return finished();
}

study study_reader::campaign(const fs::path& summary, bool listed_only) {
    const json document = read_results_document(summary).content;
    check_version(document, summary.string(), oldest_campaign_schema_version, campaign_schema_version);
    const auto campaign = from_json<campaign_result>(document, summary.string());
    check_count(summary.string(), "runs_planned", campaign.runs_planned, 0);
    const fs::path folder = summary.parent_path();
    s_.name = campaign.profile;
    if (!campaign.backend.empty()) s_.backend = campaign.backend;
    s_.seed = campaign.seed;
    s_.runtimes = {{s_.name, {}, campaign.executor, campaign.transport, campaign.foreign, campaign.coordinator}};
    s_.configs = {{.name = campaign.config}};
    s_.warnings = campaign.warnings;
    if (!campaign.questions.is_null())
        s_.questions.push_back(from_json<question_set>(campaign.questions, summary.string() + ": questions"));
    const std::vector<std::string>& listed = campaign.run_folders;
    std::set<std::string> names(listed.begin(), listed.end());
    if (!listed_only)
        for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
    check_profile(folder, campaign.config_hash);
    for (const std::string& name : names) {
        const int number = run_number(name);
        if (number == 0) continue;
        study_run run;
        run.runtime = s_.name;
        run.config = s_.configs[0].name;
        run.number = number;
        run.order = static_cast<std::size_t>(number);
        run.folder = folder / name;
        if (!fs::exists(run.folder / "metrics.json") && std::ranges::find(listed, name) == listed.end()) {
            run.status = "crashed";
            run.message = "did not finish: its folder has no metrics.json";
        }
        const auto seal = campaign.run_crc32.find(name);
        add_run(std::move(run), {.metrics_crc32 = seal != campaign.run_crc32.end() ? seal->second : "",
                                 .config_hash = campaign.config_hash,
                                 .number = number,
                                 .efficiency_pct = {}});
    }
    s_.cells_planned = std::max(static_cast<std::size_t>(campaign.runs_planned), s_.runs.size());
    return finished();
}

study study_reader::single_run(const fs::path& folder) {
    study_run run;
    run.folder = fs::canonical(folder); // "run_3/" and "." have no name
    const int number = run_number(run.folder.filename());
    run.number = std::max(1, number);
    add_run(std::move(run), {.metrics_crc32 = {}, .config_hash = {}, .number = number, .efficiency_pct = {}});
    const run_result& read = s_.runs[0].result;
    s_.cells_planned = 1;
    if (s_.runs[0].damaged()) return finished();
    s_.name = read.profile;
    s_.source = read.source;
    s_.seed = read.seed;
    s_.runtimes = {{read.profile, {}, read.executor, read.transport, {}, read.coordinator}};
    // An imported run names its configuration; a run of ours has it in the name of the folder above.
    s_.configs = {{.name = read.config.value_or(s_.runs[0].folder.parent_path().filename().string())}};
    s_.runs[0].runtime = s_.runtimes[0].name;
    s_.runs[0].config = s_.configs[0].name;
    return finished();
}

study study_reader::finished() {
    check_something_left(s_);
    if (s_.runs.empty()) throw results_error(fmt::format("{}: no run is finished yet", s_.path.string()));
    std::ranges::sort(s_.runs, {}, [this](const study_run& r) {
        return std::tuple(position(s_.runtimes, r.runtime), position(s_.configs, r.config), r.number);
    });
    return std::move(s_);
}

/// Folders below that would be understood, for a message.
std::string results_below(const fs::path& folder) {
    constexpr int shown = 3, depth = 4;
    std::vector<std::string> found;
    std::error_code ignored;
    for (fs::recursive_directory_iterator it(folder, ignored), end; it != end && found.size() <= shown;
         it.increment(ignored)) {
        if (it.depth() >= depth) it.disable_recursion_pending();
        const std::string name = it->path().filename();
        if (name == "sweep.json" || name == "summary.json") found.push_back(it->path().parent_path().string());
    }
    if (found.empty()) return "is it the right folder?";
    const bool more = found.size() > shown;
    found.resize(std::min<std::size_t>(found.size(), shown));
    return fmt::format("there are some in {}{}", fmt::join(found, ", "), more ? ", ..." : "");
}

} // namespace

study load_study(const fs::path& path) {
    if (!fs::exists(path)) throw results_error(path.string() + ": there is no such file or folder");
    study_reader reader(path);
    if (!fs::is_directory(path)) {
        if (path.filename() == "summary.json") return reader.campaign(path, true);
        throw results_error(path.string() + ": give the folder of a sweep, a campaign or a run, or a summary.json");
    }
    if (fs::exists(path / "sweep.json")) return reader.sweep(path);
    if (fs::exists(path / "summary.json")) return reader.campaign(path / "summary.json", false);
    if (fs::exists(path / "metrics.json")) return reader.single_run(path);
    throw results_error(fmt::format("{}: no results here: neither sweep.json, summary.json nor metrics.json; {}",
                                    path.string(), results_below(path)));
}

void read_requests(study& s) {
    for (study_run& run : s.runs) {
        if (!run.ok()) continue;
        try {
            run.requests = read_requests(run.folder, run.result);
            for (request_result& r : run.requests) {
                if (r.ok())
                    for_each_gap(r.pieces, [&run](std::uint64_t gap, std::size_t times) {
                        run.itl_ms.insert(run.itl_ms.end(), times, static_cast<double>(gap) / 1e6);
                    });
                std::vector<piece_result>().swap(r.pieces); // millions, and nothing else is made of them
            }
        } catch (const results_error& e) {
            mark_damaged(run, e.what());
        }
    }
    check_something_left(s);
    mark_model_loads(s);
    recover(s);
}

} // namespace chimera::host
