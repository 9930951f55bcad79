#include "tr115/tree.hpp"

#include "process/messages.hpp"
#include "result/sealed_file.hpp"
#include "tr115/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view published_order[] = {"tokio-default", "tokio-localset", "smol", "smol-1kb", "async-std"};

std::size_t rank(const std::string& runtime) {
    return static_cast<std::size_t>(std::ranges::find(published_order, runtime) - std::begin(published_order));
}

/// The runs of one tree. A summary.json is read after every metrics.json, which knows more.
class tree_reader {
  public:
    tree_reader(const fs::path& tree, const std::vector<named_runtime>& names, tr115_runs& out)
        : tree_(tree), tree_name_(name_of_tree(tree)), names_(names), out_(out) {}

    void read() {
        std::vector<fs::path> summaries;
        for (const auto& entry : fs::recursive_directory_iterator(tree_)) {
            const fs::path& file = entry.path();
            if (file.filename() == "summary.json") summaries.push_back(file);
            if (file.filename() == "metrics.json") add_metrics(file);
        }
        // Those within a run before those of all runs of a configuration.
        std::ranges::sort(summaries, std::ranges::greater(),
                          [](const fs::path& file) { return std::pair(std::ranges::distance(file), file.string()); });
        for (const fs::path& file : summaries) add_summary(file);
        number();
    }

  private:
    struct found_run {
        fs::path file;
        int summary_run = 0;
    };

    void leave_out(const fs::path& file, const std::string& why) {
        out_.left_out.push_back(fmt::format("{}: {}", file.string(), why));
    }

    /// Nothing: the file is left out, and that is said.
    std::optional<run_place> place(const fs::path& file, const std::vector<std::string>& folders) {
        auto found = place_of(folders, tree_name_, names_);
        if (const auto* place = std::get_if<run_place>(&found)) return *place;
        leave_out(file, std::get<std::string>(found));
        return std::nullopt;
    }

    void add_metrics(const fs::path& file) {
        const auto at = place(file, folders_between(tree_, file));
        if (!at) return;
        const auto [known, is_new] = found_.try_emplace(*at, found_run{file, 0});
        if (!is_new)
            throw results_error(fmt::format("{} and {}: their folders name the same run; import them one by one",
                                            known->second.file.string(), file.string()));
    }

    /// Whether a run that a summary.json lists is there already. One file may have run_N where another has run_N/run_1;
    /// a summary.json that lists a single run (`alone`) does not say which of run_N it is.
    bool is_known(const run_place& listed, bool alone) const {
        return std::ranges::any_of(found_, [&](const auto& entry) {
            run_place same = entry.first;
            const int inner = std::exchange(same.inner, listed.inner);
            return same == listed && (alone || inner == 0 || listed.inner == 0 || inner == listed.inner);
        });
    }

    /// Adds the runs that only this summary.json knows.
    void add_summary(const fs::path& file) {
        std::vector<std::string> folders = folders_between(tree_, file);
        const bool in_a_run = !folders.empty() && run_number(folders.back()) >= 0;
        folders.emplace_back("run_1");
        const auto first = place(file, folders);
        if (!first) return;
        std::vector<int> numbers;
        try {
            numbers = listed_runs(read_results_document(file).content, file.string());
        } catch (const results_error& e) {
            if (in_a_run && !is_known(*first, true)) throw; // nobody else would know that run
            out_.left_out.push_back(fmt::format("{}; left out, it is not a summary of the reports", e.what()));
            return;
        }
        for (const int number : numbers) {
            run_place at = *first;
            (in_a_run ? at.inner : at.outer) = number;
            if (!is_known(at, numbers.size() == 1)) found_[at] = {file, number};
        }
    }

    /// run_N/run_1 is run N. Where one of them holds several, the runs of the configuration are counted through.
    void number() {
        const auto cell_of = [](const run_place& p) { return std::tuple(p.runtime, p.phase, p.model, p.config); };
        std::map<decltype(cell_of({})), std::pair<int, bool>> counted;
        for (const auto& [at, run] : found_) {
            auto& [last, several] = counted[cell_of(at)];
            several = several || at.outer == last;
            last = at.outer;
        }
        int number = 0;
        const run_place* previous = nullptr;
        for (const auto& [at, run] : found_) {
            number = previous != nullptr && cell_of(*previous) == cell_of(at) ? number + 1 : 1;
            previous = &at;
            out_.runs.push_back({at.runtime, at.phase, at.model, at.config,
                                 counted[cell_of(at)].second ? number : at.outer, run.file, run.summary_run, tree_});
        }
    }

    const fs::path& tree_;
    std::string tree_name_;
    const std::vector<named_runtime>& names_;
    tr115_runs& out_;
    std::map<run_place, found_run> found_;
};

void check_trees(std::span<const fs::path> trees) {
    for (const fs::path& tree : trees)
        if (!fs::is_directory(tree)) throw results_error(tree.string() + ": there is no such folder");
    for (std::size_t i = 0; i < trees.size(); ++i)
        for (std::size_t j = 0; j < trees.size(); ++j) {
            if (i == j) continue;
            const fs::path outer = fs::canonical(trees[i]), inner = fs::canonical(trees[j]);
            if (std::ranges::mismatch(outer, inner).in1 == outer.end())
                throw results_error(fmt::format("{} is in {}: give one of them", trees[j].string(), trees[i].string()));
        }
}

/// A name that no run has is a mistyped one.
void check_names(const tr115_runs& found, const std::vector<named_runtime>& names) {
    std::set<std::string> folders;
    for (const tr115_run& run : found.runs) {
        std::vector<std::string> above = folders_between(run.tree, run.file);
        above.push_back(name_of_tree(run.tree));
        for (const std::string& folder : above)
            if (run_number(folder) < 0 && folder != "results" && folder != run.config) folders.insert(folder);
    }
    const std::vector<std::string> known(folders.begin(), folders.end());
    for (const named_runtime& n : names)
        if (std::ranges::find(found.runs, n.name, &tr115_run::runtime) == found.runs.end())
            throw results_error(fmt::format("--runtime {}={}: no run is below such a folder; {}", n.folder, n.name,
                                            suggest(n.folder, known)));
}

void tidy_phases(tr115_runs& found, std::size_t trees) {
    if (trees > 1)
        for (tr115_run& run : found.runs)
            run.phase = name_of_tree(run.tree) + (run.phase.empty() ? "" : "_" + run.phase);
    const std::string shared = found.runs[0].phase;
    if (std::ranges::all_of(found.runs, [&](const tr115_run& run) { return run.phase == shared; }))
        for (tr115_run& run : found.runs) run.phase.clear();
}

void check_no_run_is_there_twice(const tr115_runs& found) {
    std::map<std::tuple<std::string, std::string, std::string, std::string, int>, fs::path> seen;
    for (const tr115_run& r : found.runs)
        if (const auto [at, is_new] = seen.try_emplace({r.runtime, r.phase, r.model, r.config, r.number}, r.file);
            !is_new)
            throw results_error(fmt::format("{} and {}: both are run {} of {} in {}; import them one by one",
                                            at->second.string(), r.file.string(), r.number, r.runtime, r.config));
}

} // namespace

tr115_runs find_tr115_runs(std::span<const fs::path> trees, const std::vector<named_runtime>& names) {
    check_trees(trees);
    tr115_runs out;
    for (const fs::path& tree : trees) tree_reader(tree, names, out).read();
    std::ranges::sort(out.left_out);
    if (out.runs.empty()) {
        std::vector<std::string> faults{
            fmt::format("{}: no results of the reports here: expected <runtime>/<config>/run_1/run_1/metrics.json or "
                        "<config>/run_1/metrics.json below",
                        trees[0].string())};
        faults.insert(faults.end(), out.left_out.begin(), out.left_out.end());
        throw results_error(faults);
    }
    check_names(out, names);
    tidy_phases(out, trees.size());
    check_no_run_is_there_twice(out);
    std::ranges::stable_sort(out.runs, {}, [](const tr115_run& r) {
        return std::tuple(rank(r.runtime), r.runtime, r.phase, r.model, r.config, r.number);
    });
    return out;
}

} // namespace chimera::host
