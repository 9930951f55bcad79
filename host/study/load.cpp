#include "study/load.hpp"

#include "report/result_files.hpp"
#include "study/run_file.hpp"

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
nlohmann::ordered_json parameters_of(const results_object& o) {
    nlohmann::ordered_json out = o.value();
    for (auto& [name, value] : out.items()) {
        constexpr double exact = 9e15;
        if (!value.is_number_float()) continue;
        const double number = value.get<double>();
        if (std::trunc(number) == number && std::abs(number) < exact) value = static_cast<std::int64_t>(number);
    }
    return out;
}

/// A number of runs or cells. One beyond these would be cut on its way into an int, or wrap around.
std::int64_t count_from(const results_object& o, const char* key, std::int64_t least) {
    constexpr std::int64_t most = 1'000'000'000;
    const std::int64_t n = o.integer(key);
    if (n < least || n > most) o.refuse(fmt::format("key \"{}\" is {}; expected {} to {}", key, n, least, most));
    return n;
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
    /// Nothing where the run has a fault, which makes it a damaged run.
    std::optional<run_origin> add_run(study_run, const run_claims& = {});
    void add_cell(const results_object& cell, const fs::path& folder);
    /// The last line of each cell counts: one that was lost has an older one.
    void add_cells(const fs::path& folder);
    void look_for_unlisted(const fs::path& folder);
    void check_profile(const fs::path& folder, const std::string& config_hash);
    study finished();

    study s_;
    run_reader reader_;
    std::map<std::string, std::string> cell_places_; // of each cell that was seen
    std::set<fs::path> profiles_;                    // the folders whose profile.toml was looked at
};

std::optional<run_origin> study_reader::add_run(study_run run, const run_claims& claimed) {
    std::optional<run_origin> origin;
    try {
        // A failed cell may have no file: the journal says what became of it.
        if (run.ok() || fs::exists(run.folder / "metrics.json")) origin = reader_.read(run, claimed);
    } catch (const study_error& e) {
        mark_damaged(run, e.what());
    }
    s_.runs.push_back(std::move(run));
    return origin;
}

void study_reader::add_cell(const results_object& cell, const fs::path& folder) {
    study_run run;
    run.runtime = cell.text("runtime");
    run.config = cell.text("config");
    run.number = static_cast<int>(count_from(cell, "run", 1));
    run.status = cell.text("status");
    run.message = cell.text_or_empty("message");
    const fs::path below = cell.text("folder");
    if (below.is_absolute() || std::ranges::find(below, "..") != below.end())
        cell.refuse(fmt::format("folder \"{}\" is not in the sweep's folder", below.string()));
    run.folder = folder / below;
    if (position(s_.runtimes, run.runtime) == s_.runtimes.size())
        cell.refuse(fmt::format("runtime \"{}\" is not in sweep.json", run.runtime));
    if (position(s_.configs, run.config) == s_.configs.size())
        cell.refuse(fmt::format("configuration \"{}\" is not in sweep.json", run.config));
    const run_claims claimed{.metrics_crc32 = cell.text_or_empty("metrics_crc32"),
                             .config_hash = cell.text_or_empty("config_hash"),
                             .number = run.number,
                             .efficiency_pct = cell.number_if("efficiency_pct")};
    if (run.status == "not_needed") {
        ++s_.cells_not_needed;
    } else if (run.status == "lost") {
        mark_damaged(run, fmt::format("{}: {} was lost and has not been run again; sweep --resume runs it ({})",
                                      cell.place(), run.folder.lexically_relative(folder).string(), run.message));
        s_.runs.push_back(std::move(run));
    } else {
        check_profile(run.folder.parent_path(), claimed.config_hash);
        add_run(std::move(run), claimed);
    }
}

void study_reader::add_cells(const fs::path& folder) {
    const sound_lines all = read_sound_lines(folder / "cells.jsonl");
    s_.damage = all.faults;
    std::vector<results_object> cells;
    std::map<std::string, std::size_t> last;
    for (const auto& [line, place] : all.lines) {
        try {
            const results_object cell(line, place);
            last[cell_key(cell.text("runtime"), cell.text("config"), cell.integer("run"))] = cells.size();
            cells.push_back(cell);
        } catch (const study_error& e) {
            s_.damage.emplace_back(e.what());
        }
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string key = cell_key(cells[i].text("runtime"), cells[i].text("config"), cells[i].integer("run"));
        if (last[key] != i) continue;
        cell_places_.emplace(key, cells[i].place());
        try {
            add_cell(cells[i], folder);
        } catch (const study_error& e) {
            s_.damage.emplace_back(e.what());
        }
    }
}

/// Finished runs without a line: the sweep was killed before it could write one, or the line was lost.
void study_reader::look_for_unlisted(const fs::path& folder) {
    for (const study_runtime& r : s_.runtimes)
        for (const study_config& c : s_.configs) {
            std::error_code ignored;
            for (const auto& entry : fs::directory_iterator(folder / r.name / c.name, ignored)) {
                const int number = run_number(entry.path().filename());
                if (number == 0 || cell_places_.contains(cell_key(r.name, c.name, number))) continue;
                const fs::path file = entry.path() / "metrics.json";
                if (!fs::exists(file)) continue; // it was being run
                try {
                    const auto json = read_results_json(file);
                    if (!results_object(json, file.string()).boolean_if("complete").value_or(true)) continue;
                } catch (const study_error&) { // then it does not matter what it holds
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
    const auto json = read_results_json(file);
    const results_object o(json, file.string());
    check_version(o, readable_sweep_version);
    s_.sweep = true;
    s_.name = o.text("name");
    s_.source = o.text("source");
    s_.description = o.text_or_empty("description");
    s_.question = o.text_or_empty("question");
    s_.backend = o.text_or_empty("backend");
    if (s_.source == "chimera") s_.order = "interleaved, drawn from the seed"; // as every sweep of ours is
    s_.profile = o.text_or_empty("profile");
    s_.seed = o.integer_if("seed");
    s_.cells_planned = static_cast<std::size_t>(count_from(o, "cells_planned", 0));
    for (const results_object& r : o.objects("runtimes"))
        s_.runtimes.push_back({r.text("name"), r.text_or_empty("description"), r.text_or_empty("executor"),
                               r.text_or_empty("transport"), r.text_or_empty("foreign")});
    for (const results_object& c : o.objects("configs"))
        s_.configs.push_back({c.text("name"), parameters_of(c.object("parameters"))});
    const fs::path cells = folder / "cells.jsonl";
    if (!fs::exists(cells))
        throw study_error(fmt::format("{}: no cell of this sweep is finished yet", folder.string()));
    add_cells(folder);
    look_for_unlisted(folder);
    return finished();
}

study study_reader::campaign(const fs::path& summary, bool listed_only) {
    const auto json = read_results_json(summary);
    const results_object o(json, summary.string());
    check_version(o, readable_summary_version);
    const fs::path folder = summary.parent_path();
    s_.name = o.text("profile");
    s_.backend = o.text_or_empty("backend");
    s_.seed = o.integer_if("seed");
    s_.runtimes = {{s_.name, {}, o.text("executor"), o.text("transport"), o.text_or_empty("foreign")}};
    s_.configs = {{.name = o.text("config")}};
    s_.warnings = o.texts("warnings");
    const std::vector<std::string> listed = o.texts_if("run_folders");
    std::set<std::string> names(listed.begin(), listed.end());
    if (!listed_only)
        for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
    const auto seals = o.object_if("run_crc32");
    const std::string config_hash = o.text_or_empty("config_hash");
    check_profile(folder, config_hash);
    for (const std::string& name : names) {
        const int number = run_number(name);
        if (number == 0) continue;
        study_run run;
        run.runtime = s_.name;
        run.config = s_.configs[0].name;
        run.number = number;
        run.folder = folder / name;
        if (!fs::exists(run.folder / "metrics.json") && std::ranges::find(listed, name) == listed.end()) {
            run.status = "crashed";
            run.message = "did not finish: its folder has no metrics.json";
        }
        add_run(std::move(run), {.metrics_crc32 = seals ? seals->text_or_empty(name.c_str()) : "",
                                 .config_hash = config_hash,
                                 .number = number,
                                 .efficiency_pct = {}});
    }
    s_.cells_planned = std::max(static_cast<std::size_t>(count_from(o, "runs_planned", 0)), s_.runs.size());
    return finished();
}

study study_reader::single_run(const fs::path& folder) {
    study_run run;
    run.folder = fs::canonical(folder); // "run_3/" and "." have no name
    const int number = run_number(run.folder.filename());
    run.number = std::max(1, number);
    const auto origin =
        add_run(std::move(run), {.metrics_crc32 = {}, .config_hash = {}, .number = number, .efficiency_pct = {}});
    if (!origin) return finished();
    s_.name = origin->profile;
    s_.source = origin->source;
    s_.seed = origin->seed;
    s_.runtimes = {{origin->profile, {}, origin->executor, origin->transport, {}}};
    s_.configs = {{.name = origin->config}};
    s_.runs[0].runtime = origin->profile;
    s_.runs[0].config = origin->config;
    s_.cells_planned = 1;
    return finished();
}

study study_reader::finished() {
    const auto& versions = reader_.versions();
    if (versions.size() > 1) {
        std::string found;
        for (const auto& [version, files] : versions)
            found += fmt::format("{}version {} in {} of them", found.empty() ? "" : ", ", version, files);
        std::vector<std::string> faults = damage_of(s_);
        faults.insert(faults.begin(), fmt::format("{}: its metrics.json files are of mixed schema versions ({}): they "
                                                  "were not written by one chimera-host and cannot be put together",
                                                  s_.path.string(), found));
        throw study_error(faults);
    }
    check_something_left(s_);
    if (s_.runs.empty()) throw study_error(fmt::format("{}: no run is finished yet", s_.path.string()));
    s_.definitions = reader_.definitions();
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
    if (!fs::exists(path)) throw study_error(path.string() + ": there is no such file or folder");
    study_reader reader(path);
    if (!fs::is_directory(path)) {
        if (path.filename() == "summary.json") return reader.campaign(path, true);
        throw study_error(path.string() + ": give the folder of a sweep, a campaign or a run, or a summary.json");
    }
    if (fs::exists(path / "sweep.json")) return reader.sweep(path);
    if (fs::exists(path / "summary.json")) return reader.campaign(path / "summary.json", false);
    if (fs::exists(path / "metrics.json")) return reader.single_run(path);
    throw study_error(fmt::format("{}: no results here: neither sweep.json, summary.json nor metrics.json; {}",
                                  path.string(), results_below(path)));
}

} // namespace chimera::host
