#include "tr115/import.hpp"

#include "profile/reading.hpp"
#include "result/run_folder.hpp"
#include "tr115/configurations.hpp"
#include "tr115/converted_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const imported_run& r) {
    return fmt::format("{}/{}/run_{}", r.run.runtime, r.config, r.run.number);
}

/// Folders that differ only in what the names of configurations do not have, such as a model that the files do not
/// name, would be one folder of the output.
void check_each_has_its_folder(const std::vector<imported_run>& runs) {
    std::map<std::string, const imported_run*> seen;
    for (const imported_run& r : runs)
        if (const auto [at, is_new] = seen.try_emplace(folder_of(r), &r); !is_new)
            throw results_error(fmt::format("{} and {}: both would be {}; import them one by one",
                                            at->second->run.file.string(), r.run.file.string(), at->first));
}

/// Results below the originals would be taken for originals, and the other way round.
void check_apart(const fs::path& tree, const fs::path& out) {
    const auto place = [](const fs::path& p) {
        const fs::path whole = fs::weakly_canonical(fs::absolute(p));
        return whole.has_filename() ? whole : whole.parent_path();
    };
    const fs::path from = place(tree), to = place(out);
    const auto [a, b] = std::ranges::mismatch(from, to);
    if (a == from.end() || b == to.end())
        throw results_error(
            fmt::format("{}: the output folder and the original tree {} may not lie in each other; name "
                        "another folder with --output-dir",
                        out.string(), tree.string()));
}

/// Whether a metrics.json was written by an earlier, broken off import of the same file.
bool is_of_import(const fs::path& metrics, const tr115_run& run) {
    try {
        const auto found = read_results<run_result>(metrics);
        return found.recorded && found.recorded->file == run.file.lexically_relative(run.tree).string();
    } catch (const results_error&) {
        return false;
    }
}

void check_nothing_is_overwritten(const std::vector<imported_run>& runs, const fs::path& out) {
    std::vector<std::string> faults;
    for (const imported_run& r : runs) {
        const fs::path file = out / folder_of(r) / "metrics.json";
        if (fs::exists(file) && !is_of_import(file, r.run))
            faults.push_back(file.string() + ": is there already and not of this import; name another folder with "
                                             "--output-dir");
    }
    if (!faults.empty()) throw results_error(faults);
}

/// The journal of the sweep is written in the order of time, like that of a sweep that ran.
void write(const std::vector<imported_run>& in_time, const sweep_result& sweep, const fs::path& out) {
    std::string cells;
    for (const imported_run& r : in_time) {
        cell_result cell;
        cell.runtime = r.run.runtime;
        cell.config = r.config;
        cell.run = r.run.number;
        cell.exit_status = 0;
        cell.wall_s = r.record.wall_ms / 1e3;
        cell.folder = folder_of(r);
        make_folders(out / cell.folder);
        run_folder_writer files(out / cell.folder);
        for (const request_result& q : converted_requests(r.record)) files.add(q);
        for (const text_result& t : converted_texts(r.record)) files.add(t);
        run_result result = converted_run(r.run, r.record, r.config);
        cell.metrics_crc32 = files.finish(result);
        append_sealed_line(cells, cell);
    }
    write_whole(out / "cells.jsonl", cells);
    write_whole(out / "sweep.json", sealed_document(sweep));
}

/// Runtimes are folders of the output.
void check_names(const std::vector<named_runtime>& names) {
    std::vector<std::string> faults;
    for (const named_runtime& n : names)
        if (const std::string fault = file_name_fault(n.name); !fault.empty())
            faults.push_back(fmt::format("--runtime {}={}: {}", n.folder, n.name, fault));
    if (!faults.empty()) throw results_error(faults);
}

/// One sentence for all runs of a file whose efficiency_percent does not follow from the durations in it.
std::vector<std::string> wrong_efficiencies(const std::vector<imported_run>& runs) {
    constexpr double agreement_points = 0.01;
    std::vector<std::pair<const imported_run*, std::size_t>> found;
    for (const imported_run& r : runs) {
        if (std::abs(estimated_efficiency_pct(r.record) - r.record.efficiency_percent) <= agreement_points) continue;
        const auto same = std::ranges::find_if(found, [&](const auto& f) { return f.first->run.file == r.run.file; });
        if (same != found.end())
            ++same->second;
        else
            found.emplace_back(&r, 1);
    }
    std::vector<std::string> out;
    for (const auto& [first, count] : found)
        out.push_back(fmt::format(
            "{}: says efficiency_percent {:.6g}, but the durations in it give {:.6g}{}", first->run.file.string(),
            first->record.efficiency_percent, estimated_efficiency_pct(first->record),
            count > 1 ? fmt::format("; so in run {}, and otherwise in {} more", first->run.number, count - 1) : ""));
    return out;
}

std::string name_of(const std::vector<fs::path>& trees) {
    std::vector<std::string> names;
    for (const fs::path& tree : trees) names.push_back(name_of_tree(tree));
    return fmt::format("{}", fmt::join(names, " and "));
}

} // namespace

import_outcome import_tr115(const std::vector<fs::path>& trees, const fs::path& out,
                            const std::vector<named_runtime>& names) {
    check_names(names);
    for (const fs::path& tree : trees) check_apart(tree, out);
    if (fs::exists(out / "sweep.json"))
        throw results_error(out.string() + ": holds a sweep already; name another folder with --output-dir");
    const tr115_runs found = find_tr115_runs(trees, names);
    std::vector<imported_run> runs;
    std::vector<std::string> faults, runtimes;
    for (const tr115_run& run : found.runs) {
        if (runtimes.empty() || runtimes.back() != run.runtime) runtimes.push_back(run.runtime);
        try {
            runs.push_back({run, read_tr115_run(run), {}});
        } catch (const results_error& e) {
            faults.emplace_back(e.what());
        }
    }
    if (!faults.empty()) throw results_error(faults);
    import_outcome outcome;
    outcome.warnings = wrong_efficiencies(runs);
    const std::vector<std::string> contradictions = name_configurations(runs);
    outcome.warnings.insert(outcome.warnings.end(), contradictions.begin(), contradictions.end());
    outcome.warnings.insert(outcome.warnings.end(), found.left_out.begin(), found.left_out.end());
    check_each_has_its_folder(runs);
    check_nothing_is_overwritten(runs, out);
    sort_by_time(runs);
    const sweep_result sweep = converted_sweep(runs, runtimes, name_of(trees));
    write(runs, sweep, out);
    outcome.runs = runs.size();
    outcome.runtimes = sweep.runtimes.size();
    outcome.configs = sweep.configs.size();
    return outcome;
}

} // namespace chimera::host
