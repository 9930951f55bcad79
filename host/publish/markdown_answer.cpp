#include "publish/markdown_parts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace chimera::host {
namespace {

/// "43.2 ± 2.2", or "799 (771 to 822)" of a time with a long tail.
std::string cell_text(const overview_row& row, const overview_cell& c) {
    if (c.n == 0) return missing;
    if (row.shown == "median")
        return c.n > 1 ? fmt::format("{} ({} to {})", number(c.median, row.unit), number(c.q1, row.unit),
                                     number(c.q3, row.unit))
                       : number(c.median, row.unit);
    return c.sd ? fmt::format("{} ± {}", number(c.mean, row.unit), number(c.sd, row.unit)) : number(c.mean, row.unit);
}

std::string words_for(standing s) {
    std::string out(word_of(s));
    std::ranges::replace(out, '_', ' ');
    return out;
}

std::string ground_truth(const study_report& report) {
    if (report.overview.empty()) return "";
    std::vector<std::string> head{"metric"};
    for (const runtime_report& r : report.runtimes) head.push_back(r.name);
    markdown_table t(head);
    for (const overview_row& row : report.overview) {
        std::vector<std::string> cells{fmt::format("{}{}{} ({})", row.label, row.unit == "1" ? "" : ", ",
                                                   row.unit == "1" ? "" : row.unit, row.provenance)};
        for (const overview_cell& c : row.cells) cells.push_back(cell_text(row, c));
        t.add(std::move(cells));
    }
    return "## Ground truth\n\nOne value for each run. Mean ± standard deviation over the runs; of times that have a "
           "long "
           "tail, the median and its quartiles.\n\n" +
           t.text();
}

std::string decision_table(const study_report& report) {
    if (report.decisions.empty()) return "";
    std::vector<std::string> head{"by"};
    for (const decision_cell& c : report.decisions.front().cells) head.push_back(c.runtime);
    head.emplace_back("margin");
    markdown_table t(head);
    for (const decision_row& row : report.decisions) {
        std::vector<std::string> cells{row.label};
        for (const decision_cell& c : row.cells) cells.push_back(words_for(c.stands));
        cells.push_back(row.unit == "%" ? number(row.margin) + (row.margin == 1 ? " point" : " points")
                                        : fmt::format("{} {}", number(row.margin), row.unit));
        t.add(std::move(cells));
    }
    return part(
        "Which runtime, by which metric",
        "Tied: within the margin of the best, by two one-sided tests. Worse: detectably, and not tied. Undecided: "
        "these "
        "runs are too few, or scatter too much, for either. Runs in which a server loaded its model are left out.",
        t);
}

} // namespace

bool is_about_agents_together(const study_report& report) {
    return report.method.agents.size() != 1 && report.headline != name_of(metric::hundred_cycles);
}

std::string answer_markdown(const study_report& report) {
    return fmt::format("## Answer\n\n{}\n\n", fmt::join(report.answer.sentences, " ")) + ground_truth(report) +
           decision_table(report);
}

std::string recovery_table(const study_report& report) {
    if (!report.recovery) return "";
    const recovery_report& r = *report.recovery;
    markdown_table t({"runtime", "warm runs", "mean %", "sd", "95 % CI", "all runs", "mean %", "sd", "95 % CI"});
    for (const recovered_runtime& of : r.runtimes)
        t.add({of.runtime, count(of.warm.n), number(of.warm.mean_pct, "%"), number(of.warm.sd_pct, "%"),
               range(of.warm.ci95_pct, "%"), count(of.all.n), number(of.all.mean_pct, "%"), number(of.all.sd_pct, "%"),
               range(of.all.ci95_pct, "%")});
    std::string said =
        fmt::format("Derived from {} serialized runs of {} ({} of them without a model load), in which each agent had "
                    "the servers to "
                    "itself: efficiency = sum(T) / (N W), T = tokens of an agent x its time for a token there (",
                    r.serialized_runs, listed(r.from), r.warm_serialized_runs);
    for (std::size_t i = 0; i < r.paces.size(); ++i)
        said += fmt::format("{}{} {} ms", i == 0 ? "" : ", ", r.paces[i].agent, number(r.paces[i].ms_per_token));
    said += "). Intervals are by bootstrap over both kinds of runs.";
    for (const std::string& assumption : r.assumptions) said += " " + assumption;
    return part("Efficiency recovered", said, t);
}

} // namespace chimera::host
