#include "study/load.hpp"

#include "study/run_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

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

template <class T>
std::size_t position(const std::vector<T>& items, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(items, name, &T::name) - items.begin());
}

/// Collects the faults of all files, so that one look tells everything that is wrong.
class study_reader {
  public:
    explicit study_reader(const fs::path& given) { s_.path = given; }

    study sweep(const fs::path& folder);
    study campaign(const fs::path& summary, bool listed_only);
    study single_run(const fs::path& folder);

  private:
    /// Nothing where the run has a fault.
    std::optional<run_origin> add_run(study_run);
    void add_cell(const results_object& cell, const fs::path& folder);
    study finished();

    study s_;
    run_reader reader_;
    std::vector<std::string> faults_;
    std::map<std::string, std::string> cell_places_; // of each cell that was seen
};

std::optional<run_origin> study_reader::add_run(study_run run) {
    std::optional<run_origin> origin;
    try {
        // A failed cell may have no file: the journal says what became of it.
        if (run.ok() || fs::exists(run.folder / "metrics.json")) origin = reader_.read(run);
    } catch (const study_error& e) {
        faults_.push_back(e.what());
    }
    s_.runs.push_back(std::move(run));
    return origin;
}

void study_reader::add_cell(const results_object& cell, const fs::path& folder) {
    study_run run;
    run.runtime = cell.text("runtime");
    run.config = cell.text("config");
    run.number = static_cast<int>(cell.integer("run"));
    run.status = cell.text("status");
    run.message = cell.text_or_empty("message");
    run.folder = folder / cell.text("folder");
    if (position(s_.runtimes, run.runtime) == s_.runtimes.size())
        cell.refuse(fmt::format("runtime \"{}\" is not in sweep.json", run.runtime));
    if (position(s_.configs, run.config) == s_.configs.size())
        cell.refuse(fmt::format("configuration \"{}\" is not in sweep.json", run.config));
    const auto [seen, first] =
        cell_places_.try_emplace(fmt::format("{}/{}/run {}", run.runtime, run.config, run.number), cell.place());
    if (!first) cell.refuse(fmt::format("{} is there twice, first in {}", seen->first, seen->second));
    if (run.status == "not_needed")
        ++s_.cells_not_needed;
    else
        add_run(std::move(run));
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
    s_.cells_planned = static_cast<std::size_t>(o.integer("cells_planned"));
    for (const results_object& r : o.objects("runtimes"))
        s_.runtimes.push_back({r.text("name"), r.text_or_empty("description"), r.text_or_empty("executor"),
                               r.text_or_empty("transport"), r.text_or_empty("foreign")});
    for (const results_object& c : o.objects("configs"))
        s_.configs.push_back({c.text("name"), parameters_of(c.object("parameters"))});
    const fs::path cells = folder / "cells.jsonl";
    if (!fs::exists(cells))
        throw study_error(fmt::format("{}: no cell of this sweep is finished yet", folder.string()));
    for (const auto& [line, place] : read_results_lines(cells, last_line::may_be_torn)) {
        try {
            add_cell(results_object(line, place), folder);
        } catch (const study_error& e) {
            faults_.push_back(e.what());
        }
    }
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
    std::vector<std::string> names;
    if (listed_only)
        names = o.texts("run_folders");
    else
        for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
    for (const std::string& name : names) {
        const int number = run_number(name);
        if (number == 0) continue;
        study_run run;
        run.runtime = s_.name;
        run.config = s_.configs[0].name;
        run.number = number;
        run.folder = folder / name;
        if (!listed_only && !fs::exists(run.folder / "metrics.json")) {
            run.status = "crashed";
            run.message = "did not finish: its folder has no metrics.json";
        }
        add_run(std::move(run));
    }
    s_.cells_planned = std::max(static_cast<std::size_t>(o.integer("runs_planned")), s_.runs.size());
    return finished();
}

study study_reader::single_run(const fs::path& folder) {
    study_run run;
    run.folder = fs::canonical(folder); // "run_3/" and "." have no name
    run.number = std::max(1, run_number(run.folder.filename()));
    const auto origin = add_run(std::move(run));
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
        faults_.insert(faults_.begin(),
                       fmt::format("{}: its metrics.json files are of mixed schema versions ({}): they "
                                   "were not written by one chimera-host and cannot be put together",
                                   s_.path.string(), found));
    }
    if (!faults_.empty()) throw study_error(faults_);
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
