#include "tr115/tree.hpp"

#include "result/sealed_file.hpp"
#include "tr115/original.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view published_order[] = {"tokio-default", "tokio-localset", "smol", "smol-1kb", "async-std"};

/// The N of "run_N".
std::optional<int> run_number(const std::string& name) {
    constexpr std::string_view prefix = "run_";
    int n = 0;
    if (!name.starts_with(prefix)) return std::nullopt;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), n);
    return error == std::errc() && end == name.data() + name.size() && n >= 0 ? std::optional(n) : std::nullopt;
}

/// Where a run is in the tree. The originals ran a program that makes run_M folders once for each run_N.
struct run_place {
    std::string runtime, config;
    int outer = 0, inner = 0;
    auto operator<=>(const run_place&) const = default;
};

/// The place that a path below the tree stands for, without the file's name. The run_N that end it are those of a
/// metrics.json; a summary.json has one less, as it stands beside them.
std::optional<run_place> place_of(std::vector<std::string> path, const fs::path& tree) {
    if (!path.empty() && path[0] == "results") path.erase(path.begin());
    std::vector<int> numbers;
    while (!path.empty() && numbers.size() < 2) {
        const auto n = run_number(path.back());
        if (!n) break;
        numbers.insert(numbers.begin(), *n);
        path.pop_back();
    }
    if (numbers.empty() || path.empty() || path.size() > 2 || run_number(path.back())) return std::nullopt;
    std::string runtime = path.size() == 2 ? path[0] : fs::canonical(tree).filename().string();
    constexpr std::string_view prefix = "runtime-";
    if (runtime.starts_with(prefix)) runtime.erase(0, prefix.size());
    return run_place{std::move(runtime), path.back(), numbers[0], numbers.size() == 2 ? numbers[1] : 0};
}

std::vector<std::string> folders_between(const fs::path& tree, const fs::path& file) {
    std::vector<std::string> out;
    for (const fs::path& part : file.parent_path().lexically_relative(tree))
        if (part != ".") out.push_back(part);
    return out;
}

std::size_t rank(const std::string& runtime) {
    return static_cast<std::size_t>(std::ranges::find(published_order, runtime) - std::begin(published_order));
}

using found_runs = std::map<run_place, tr115_run>;

constexpr const char* nowhere = ": left out, it is not where a run of the reports would be";

/// Where a summary.json has its run of this number.
std::optional<run_place> listed_place(const fs::path& file, int number, const fs::path& tree) {
    std::vector<std::string> path = folders_between(tree, file);
    path.push_back(fmt::format("run_{}", number));
    return place_of(std::move(path), tree);
}

/// Whether a run that a summary.json lists is there already. One file may have run_N where another has run_N/run_1; a
/// summary.json that lists a single run (`alone`) does not say which of run_N it is.
bool is_known(const found_runs& found, const run_place& listed, bool alone) {
    return std::ranges::any_of(found, [&](const auto& entry) {
        const run_place& p = entry.first;
        return p.runtime == listed.runtime && p.config == listed.config && p.outer == listed.outer &&
               (alone || p.inner == 0 || listed.inner == 0 || p.inner == listed.inner);
    });
}

/// The numbers of the runs that a summary.json lists.
std::vector<int> listed_numbers(const fs::path& file) {
    std::vector<int> out;
    for (const original_summary_run& run : read_results<original_summary>(file).runs) {
        constexpr int most = 1'000'000;
        if (run.run_number < 1 || run.run_number > most)
            throw results_error(
                fmt::format("{}: runs: run_number is {}; expected 1 to {}", file.string(), run.run_number, most));
        out.push_back(run.run_number);
    }
    return out;
}

/// Adds the runs that only this summary.json knows. Returns why the file is left out; empty: it is not.
std::string add_summary(found_runs& found, const fs::path& file, const fs::path& tree) {
    const auto first = listed_place(file, 1, tree);
    if (!first) return file.string() + nowhere;
    std::vector<int> numbers;
    try {
        numbers = listed_numbers(file);
    } catch (const results_error& e) {
        const bool in_a_run = run_number(file.parent_path().filename()).has_value();
        if (in_a_run && !is_known(found, *first, true)) throw; // nobody else would know that run
        return fmt::format("{}; left out, it is not a summary of the reports", e.what());
    }
    for (const int number : numbers) {
        const auto place = listed_place(file, number, tree);
        if (!is_known(found, *place, numbers.size() == 1))
            found[*place] = {place->runtime, place->config, place->outer, file, number};
    }
    return {};
}

} // namespace

tr115_tree find_tr115_runs(const fs::path& folder) {
    if (!fs::is_directory(folder)) throw results_error(folder.string() + ": there is no such folder");
    tr115_tree out;
    found_runs found;
    std::vector<fs::path> summaries;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        const fs::path& file = entry.path();
        if (file.filename() == "summary.json") summaries.push_back(file);
        if (file.filename() != "metrics.json") continue;
        if (const auto place = place_of(folders_between(folder, file), folder))
            found[*place] = {place->runtime, place->config, place->outer, file};
        else
            out.left_out.push_back(file.string() + nowhere);
    }
    // After every metrics.json, which knows more; those within a run before those of all runs of a configuration.
    std::ranges::sort(summaries, std::ranges::greater(),
                      [](const fs::path& file) { return std::pair(std::ranges::distance(file), file.string()); });
    for (const fs::path& file : summaries)
        if (std::string why = add_summary(found, file, folder); !why.empty()) out.left_out.push_back(std::move(why));
    if (found.empty())
        throw results_error(
            fmt::format("{}: no results of the reports here: expected "
                        "<runtime>/<config>/run_1/run_1/metrics.json or <config>/run_1/metrics.json below",
                        folder.string()));
    // run_N/run_1 is run N. Where one of them holds several, the runs of the configuration are counted through.
    std::map<std::pair<std::string, std::string>, std::pair<int, bool>> counted;
    for (const auto& [place, run] : found) {
        auto& [last, several] = counted[{place.runtime, place.config}];
        several = several || place.outer == last;
        last = place.outer;
    }
    std::pair<std::string, std::string> previous;
    int number = 0;
    for (auto& [place, run] : found) {
        const std::pair cell(place.runtime, place.config);
        number = cell == previous ? number + 1 : 1;
        previous = cell;
        if (counted[cell].second) run.number = number;
        out.runs.push_back(run);
    }
    std::ranges::stable_sort(out.runs, {}, [](const tr115_run& r) { return rank(r.runtime); });
    std::ranges::sort(out.left_out);
    return out;
}

} // namespace chimera::host
