#include "publish/markdown_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chimera::host {
namespace {

std::string provenance_of(const study_report& report, const std::string& metric) {
    const figure_definition* known = report.definition(metric);
    return known ? known->provenance : missing;
}

std::string unit_of(const study_report& report, const std::string& metric) {
    const figure_definition* known = report.definition(metric);
    return known ? known->unit : "";
}

/// "parallel efficiency, % (derived)"
std::string heading(const study_report& report, const std::string& metric) {
    return fmt::format("{}, {} ({})", label_of(metric), unit_of(report, metric), provenance_of(report, metric));
}
std::string heading(const study_report& report, figure f) { return heading(report, name_of(f)); }

std::string headline_table(const study_report& report) {
    markdown_table t({"runtime", "n", "mean %", "sd", "sd of configuration means", "CV %", "median %", "min %",
                      "peak %", "95 % CI", "outliers"});
    for (const runtime_report& r : report.runtimes) {
        t.add({r.name, count(r.n), number(r.mean_pct, "%"), number(r.sd_pct, "%"),
               number(r.sd_of_config_means_pct, "%"), number(r.cv_pct, "%"), number(r.median_pct, "%"),
               number(r.min_pct, "%"), number(r.peak_pct, "%"), range(r.ci95_pct, "%"),
               fmt::format("{}", r.outliers.size())});
    }
    return part("Efficiency by runtime",
                fmt::format("{}: {}.", heading(report, report.headline), report.definition(report.headline)->text), t);
}

std::string bound_table(const study_report& report) {
    markdown_table t({"runtime", heading(report, metric::efficiency), heading(report, metric::estimated_efficiency),
                      heading(report, metric::imbalance_bound), heading(report, metric::remainder)});
    for (const runtime_report& r : report.runtimes)
        t.add({r.name, number(r.mean(metric::efficiency), "%"), number(r.estimated_mean_pct, "%"),
               number(r.imbalance_bound_mean_pct, "%"), number(r.remainder_mean_pct, "%")});
    return part("Limits set by imbalance",
                "The bound is the most that agents of these lengths can reach; the remainder is the distance from the "
                "estimate to it. Means over the runs.",
                t);
}

/// The columns of the loss: totals, each followed by its parts.
constexpr std::pair<const char*, metric> losses[] = {
    {"late start", metric::late_start},
    {"permit", metric::late_permit},
    {"blocked worker", metric::late_blocked},
    {"spawn", metric::late_spawn},
    {"imbalance", metric::imbalance},
    {"inflation", metric::inflation},
    {"scheduling", metric::inflation_scheduling},
    {"blocked poll", metric::inflation_blocked},
    {"transport", metric::inflation_transport},
    {"head of line", metric::inflation_head_of_line},
    {"parsing", metric::inflation_parsing},
    {"work", metric::inflation_work},
    {"coordination", metric::inflation_coordination},
    {"server", metric::inflation_server},
};

std::string loss_table(const study_report& report) {
    std::vector<std::string> head{"runtime"};
    // Where no runtime's transport shares connections, or no agents coordinate, there is no such question.
    const auto left_out = [&report](metric m) {
        return (m == metric::inflation_head_of_line || m == metric::inflation_coordination) &&
               std::ranges::none_of(report.runtimes, [m](const runtime_report& r) { return r.find(m) != nullptr; });
    };
    for (const auto& [name, m] : losses)
        if (!left_out(m)) head.push_back(fmt::format("{} ({})", name, provenance_of(report, name_of(m))));
    markdown_table t(head);
    for (const runtime_report& r : report.runtimes) {
        std::vector<std::string> cells{r.name};
        for (const auto& [name, m] : losses)
            if (!left_out(m)) cells.push_back(number(r.mean(m), "%"));
        t.add(std::move(cells));
    }
    return part("Where agent-time was lost",
                "In percent of the agent-time N W, means over the runs. Late start is permit, blocked worker and spawn "
                "together; inflation is scheduling, blocked poll, transport, head of line (where connections are "
                "shared), parsing, work and server together.",
                t);
}

std::string config_table(const study_report& report) {
    markdown_table t({"configuration", "runtime", "n", "mean %", "sd", "95 % CI", "min %", "median %", "peak %"});
    for (const config_report& c : report.configs)
        if (c.n > 0)
            t.add({c.config, c.runtime, count(c.n), number(c.mean_pct, "%"), number(c.sd_pct, "%"),
                   range(c.ci95_pct, "%"), number(c.min_pct, "%"), number(c.median_pct, "%"), number(c.peak_pct, "%")});
    return part("Efficiency by configuration", heading(report, report.headline), t);
}

constexpr figure client_figures[] = {metric::hundred_cycles,
                                     {metric::cycle, statistic::p50},
                                     {metric::cycle, statistic::p99},
                                     {metric::round_trip, statistic::p50},
                                     {metric::round_trip, statistic::p99},
                                     {metric::fast_decision, statistic::p50},
                                     {metric::slow_decision, statistic::p50},
                                     metric::throughput,
                                     {metric::tokens_per_second, statistic::mean},
                                     {metric::ttft, statistic::p50},
                                     {metric::ttft, statistic::p95},
                                     {metric::itl, statistic::p50},
                                     {metric::itl, statistic::p99},
                                     {metric::e2e, statistic::p50},
                                     {metric::client_overhead, statistic::mean},
                                     metric::busiest_worker,
                                     {metric::dispatch_delay, statistic::p99},
                                     {metric::delivery_delay, statistic::p99},
                                     metric::inflation_ratio,
                                     metric::jain_index,
                                     metric::cpu,
                                     metric::peak_memory,
                                     metric::startup};

std::string client_table(const study_report& report) {
    markdown_table t({"metric", "runtime", "n", "mean", "sd", "95 % CI", "median", "quartiles", "min", "max"});
    for (const figure f : client_figures) {
        const std::string unit = unit_of(report, name_of(f));
        for (const runtime_report& r : report.runtimes)
            if (const described* v = r.find(f))
                t.add({heading(report, f), r.name, count(v->n), number(v->mean, unit), number(v->sd, unit),
                       range(v->ci95, unit), number(v->median, unit), range(statistics::interval{v->q1, v->q3}, unit),
                       number(v->min, unit), number(v->max, unit)});
    }
    return part("Requests and client", "One value for each run; mean, sd and the others are over the runs.", t);
}

std::string verdict_table(const study_report& report) {
    markdown_table t(
        {"runtime", "serialized runs", "cause", "evidence", "client-limited runs", "arrival-limited runs"});
    if (report.headline == name_of(metric::hundred_cycles)) return {}; // no request was made
    for (const runtime_report& r : report.runtimes) {
        const char* none = r.serialized_runs ? "none" : missing;
        t.add({r.name, count(r.serialized_runs), r.cause.value_or(none), r.evidence.value_or(none),
               count(r.client_limited_runs), count(r.arrival_limited_runs)});
    }
    return part(
        "Verdicts",
        "Serialized: the agents ran one after the other. Client-limited: the client could have changed the "
        "result. Arrival-limited: most records came together with others, so ITL, TPOT and rates of arrivals say "
        "nothing of the server.",
        t);
}

std::string comparison_tables(const study_report& report) {
    std::string out;
    std::vector<std::string> metrics;
    for (const comparison_report& c : report.comparisons)
        if (std::ranges::find(metrics, c.metric) == metrics.end()) metrics.push_back(c.metric);
    const auto p_of = [](const auto& test) { return test ? number(test->p) : std::string("none"); };
    for (const std::string& metric : metrics) {
        const std::string unit = unit_of(report, metric);
        markdown_table t({"A", "B", "n", "mean A", "mean B", "A - B", "95 % CI", "would have shown", "Welch p",
                          "U test p", "Cohen's d", "Hedges' g", "p after Holm", "verdict"});
        for (const comparison_report& c : report.comparisons) {
            if (c.metric != metric) continue;
            std::string verdict(word_of(c.verdict));
            std::ranges::replace(verdict, '_', ' ');
            t.add({c.a, c.b, fmt::format("{}, {}", c.n_a, c.n_b), number(c.mean_a, unit), number(c.mean_b, unit),
                   number(c.difference, unit), range(c.ci95, unit, "none"),
                   c.detectable_difference ? number(c.detectable_difference, unit) : "none", p_of(c.welch),
                   p_of(c.mann_whitney), c.cohens_d ? number(c.cohens_d) : "none",
                   c.hedges_g ? number(c.hedges_g) : "none", number(c.p_holm), verdict});
        }
        out += part("Runtimes compared: " + label_of(metric),
                    heading(report, metric) + ". Would have shown: the smallest difference that runs of this number "
                                              "and scatter show with a chance of "
                                              "80 %.",
                    t);
    }
    return out;
}

std::string scaling_tables(const study_report& report) {
    std::string out;
    for (const scaling_report& s : report.scaling) {
        out += fmt::format("### Scaling: {}{}\n\n", s.runtime, s.series.empty() ? "" : ", " + s.series);
        markdown_table t({"agents", "runs", "throughput, tok/s (derived)", "95 % CI",
                          fmt::format("{}, mean %", label_of(report.headline)), "Jain's index (derived)"});
        for (const scaling_level& p : s.points)
            t.add({number(p.n), count(p.runs), number(p.throughput_mean), range(p.throughput_ci95),
                   number(p.efficiency_mean_pct, "%"), number(p.jain)});
        out += t.text();
        std::string fits;
        if (const auto& f = s.amdahl)
            fits += fmt::format("Amdahl: serial_fraction {}, R² {}. ", number(f->serial_fraction), number(f->r2));
        if (const auto& f = s.usl)
            fits += fmt::format("Universal Scalability Law: contention {}, coherency {}, R² {}. ",
                                number(f->contention), number(f->coherency), number(f->r2));
        out += fmt::format("{}{}{}\n\n", fits.empty() ? "Too few levels for a fit. " : fits,
                           s.usl && s.usl->peak_n ? fmt::format("Peak at {} agents. ", number(s.usl->peak_n)) : "",
                           s.saturation_n ? fmt::format("Saturated from {} agents.", number(s.saturation_n))
                                          : "Saturation was not reached.");
    }
    return out;
}

std::string parameter_table(const study_report& report) {
    markdown_table t({"parameter", "metric", "mean by level (sd, n)", "range %", "eta²"});
    for (const parameter_report& p : report.parameters) {
        const std::string unit = unit_of(report, p.metric);
        std::string levels;
        for (const level_report& l : p.levels)
            levels += fmt::format("{}{}: {} ({}, {})", levels.empty() ? "" : "; ",
                                  l.value.is_string() ? l.value.get<std::string>() : l.value.dump(),
                                  number(l.mean, unit), number(l.sd, unit), l.n);
        t.add({p.parameter, label_of(p.metric), levels, number(p.range_pct, "%"), number(p.eta_squared)});
    }
    return part("Sensitivity to parameters",
                "Range: largest minus smallest mean of a level, in percent of the mean. Eta²: the share of the scatter "
                "that the parameter explains; by chance alone it is about (levels - 1) / (n - 1). Runs whose runtime "
                "serialized its agents are left out.",
                t);
}

std::string failure_table(const study_report& report) {
    markdown_table t({"runtime", "configuration", "run", "status", "message"});
    for (const failed_cell& f : report.cells.failures)
        t.add({f.runtime, f.config, fmt::format("{}", f.run), f.status, f.message});
    return part("Runs that are in no figure", "", t);
}

} // namespace

std::string results_markdown(const study_report& report) {
    if (report.runtimes.empty()) return failure_table(report);
    const bool together = is_about_agents_together(report);
    return (together ? headline_table(report) + recovery_table(report) + bound_table(report) + loss_table(report)
                     : "") +
           verdict_table(report) +
           (together ? config_table(report) + ranked_table(report) + stability_table(report) + outlier_table(report)
                     : "") +
           client_table(report) + agent_tables(report) + comparison_tables(report) + scaling_tables(report) +
           parameter_table(report) + improvement_tables(report) + over_time_markdown(report) + order_tables(report) +
           parity_table(report) + failure_table(report);
}

} // namespace chimera::host
