#include "study/analysis.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chimera::host {
namespace {

/// The smallest two-sided p that an exact Mann-Whitney test of these sizes can give: 2 / C(n + m, n).
double smallest_p(std::size_t n, std::size_t m) {
    double ways = 1; // C(n + m, n)
    for (std::size_t i = 1; i <= n; ++i) ways *= static_cast<double>(m + i) / static_cast<double>(i);
    return std::min(1.0, 2 / ways);
}

std::string not_measured(const study& s) {
    std::string out;
    constexpr figure looked_for[] = {metric::efficiency,
                                     metric::inflation,
                                     metric::late_permit,
                                     metric::late_blocked,
                                     metric::late_spawn,
                                     metric::imbalance_bound,
                                     {metric::ttft, statistic::p50},
                                     {metric::itl, statistic::p50},
                                     {metric::e2e, statistic::p50},
                                     metric::throughput,
                                     {metric::client_overhead, statistic::mean},
                                     metric::busiest_worker};
    for (const figure f : looked_for)
        if (!s.definitions.contains(name_of(f))) out += (out.empty() ? "" : ", ") + name_of(f);
    return out;
}

} // namespace

std::vector<std::string> method_of(const study& s) {
    std::vector<std::string> out;
    const auto ok = std::ranges::count_if(s.runs, &study_run::ok);
    out.push_back(fmt::format(
        "{} x {}; {} runs with figures, each one value for each metric.",
        s.runtimes.size() == 1 ? "1 runtime" : fmt::format("{} runtimes", s.runtimes.size()),
        s.configs.size() == 1 ? "1 configuration" : fmt::format("{} configurations", s.configs.size()), ok));
    if (agents_of(s) > 1 && headline_of(s) != name_of(metric::hundred_cycles))
        out.push_back(
            s.definitions.contains(name_of(metric::efficiency))
                ? "Each agent also ran alone, with the same request seeds: efficiency is the time that the agents take "
                  "alone against the agent-time of the concurrent run."
                : "No agent ran alone: there is nothing to compare the concurrent runs with.");
    if (s.source == "tr115")
        out.push_back(
            "Durations, times to first token and token counts are those in the original files; everything else is "
            "computed from them.");
    if (s.source == "chimera" && s.sweep && s.seed)
        out.push_back(
            fmt::format("Runs of different runtimes and configurations are interleaved, in an order drawn from the "
                        "seed {}.",
                        *s.seed));
    out.push_back(
        "Intervals are 95 % by Student's t. Pairs are compared by Welch's t test, with Mann and Whitney's U, Cohen's d "
        "and Hedges' g beside it; p is corrected after Holm over all pairs of a metric, and a difference is called "
        "detectable below 0.05. Outliers are marked by Tukey's fences and never dropped.");
    return out;
}

std::vector<std::string> limits_of(const study& s, const study_report& report) {
    std::vector<std::string> out;
    const std::vector<runtime_report>& all = report.runtimes;
    std::size_t fewest = s.runs.size();
    for (const runtime_report& r : all) fewest = std::min(fewest, r.n);
    constexpr std::size_t few = 10;
    if (all.size() > 1 && fewest > 0 && fewest < few)
        out.push_back(
            fmt::format("A runtime has as few as {} runs: the smallest p that a U test of so many can give is {:.2g}.",
                        fewest, smallest_p(fewest, fewest)));
    if (all.size() > 1) out.push_back("No detectable difference does not mean that there is none.");
    if (all.size() > 1 && s.configs.size() > 1)
        out.push_back(
            "Comparisons pool the runs of all configurations: what differs between configurations is in the scatter.");
    if (const std::string missing = not_measured(s); !missing.empty())
        out.push_back(fmt::format("Not measured: {}.", missing));
    if (s.cells_not_needed > 0)
        out.push_back("Runs ended where the figures looked calm, which makes intervals a little too narrow.");
    if (s.source == "tr115") out.push_back("The originals record no seed.");
    if (report.order.one_after_another.value_or(false))
        out.push_back(
            "The runtimes ran one after another, not interleaved: a drift of the machine would look like a difference "
            "between them.");
    if (s.backend == "simulator")
        out.push_back(
            "The servers were simulators on the same machine: times of a real model and contention of a GPU are not in "
            "these figures.");
    out.insert(out.end(), s.warnings.begin(), s.warnings.end());
    out.push_back(report.origin && report.origin->machines() > 1
                      ? "These machines, and the workload of the configurations above."
                      : "One machine, and the workload of the configurations above.");
    return out;
}

std::vector<std::string> repeat_of(const study& s) {
    if (s.source == "tr115") return {"chimera-host import tr115 DIR --output-dir OUT", "chimera-host report OUT"};
    // Results are not overwritten: the repetition gets a folder of its own.
    constexpr const char* again = "repeated";
    const auto compare = [&](const std::string& folder) {
        return fmt::format("chimera-host compare {} {}", shell_word(s.path.string()),
                           shell_word(fmt::format("{}/{}", again, folder)));
    };
    if (s.sweep) {
        const std::string profile = s.profile.empty() ? fmt::format("profiles/{}.toml", s.name) : s.profile;
        std::string command = fmt::format("chimera-host sweep --profile {}", shell_word(profile));
        for (const std::string& word : s.options) command += " " + shell_word(word);
        if (s.seed) command += fmt::format(" --seed {}", *s.seed);
        return {fmt::format("{} --output-dir {}", command, again), compare(s.name)};
    }
    // The resolved profile, which has every option in it, is in the campaign's folder: that of a summary.json, and the
    // one above a run.
    const bool here = std::filesystem::exists(s.path / "profile.toml");
    const auto folder = here ? s.path : s.path.parent_path();
    return {
        fmt::format("chimera-host --profile {} --output-dir {}", shell_word((folder / "profile.toml").string()), again),
        compare(s.name + "/" + s.configs[0].name)};
}

} // namespace chimera::host
