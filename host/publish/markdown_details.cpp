#include "publish/markdown_parts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace chimera::host {
namespace {

std::string unit_in(const study_report& report, const std::string& metric) {
    const figure_definition* known = report.definition(metric);
    return known ? known->unit : "";
}

std::string yes_or_no(bool value) { return value ? "yes" : "no"; }

std::string contrast_table(const study_report& report, const std::vector<contrast_report>& all, const char* title,
                           const char* a, const char* b, const char* said) {
    markdown_table t({"runtime", "metric", std::string("runs ") + a, std::string("median ") + a,
                      std::string("runs ") + b, std::string("median ") + b, "U test p"});
    for (const contrast_report& c : all) {
        const std::string unit = unit_in(report, c.metric);
        t.add({c.runtime, fmt::format("{}, {}", label_of(c.metric), unit), count(c.n_a), number(c.median_a, unit),
               count(c.n_b), number(c.median_b, unit), c.p ? number(c.p) : "none"});
    }
    return part(title, said, t);
}

} // namespace

std::string ranked_table(const study_report& report) {
    markdown_table t({"runtime", "rank", "configuration", "n", "mean %", "sd", "speedup"});
    for (const ranked_config& c : report.ranked_configs)
        t.add({c.runtime, count(c.rank), c.config, count(c.n), number(c.mean_pct, "%"), number(c.sd_pct, "%"),
               number(c.speedup)});
    return part(
        "Best configurations",
        "By the mean of each runtime's runs. The best of several means is high by chance too: it is no measure of a "
        "runtime.",
        t);
}

std::string stability_table(const study_report& report) {
    markdown_table t({"runtime", "sd within configurations", "sd of configuration means", "most stable", "sd",
                      "least stable", "sd"});
    for (const stability_report& s : report.stability)
        t.add({s.runtime, number(s.sd_within_pct, "%"), number(s.sd_of_config_means_pct, "%"),
               s.most_stable ? s.most_stable->config : "none",
               number(s.most_stable ? std::optional(s.most_stable->sd_pct) : std::nullopt, "%"),
               s.least_stable ? s.least_stable->config : "none",
               number(s.least_stable ? std::optional(s.least_stable->sd_pct) : std::nullopt, "%")});
    return part(
        "Stability",
        "Within: runs that differ in nothing, pooled over configurations. Of means: how much configurations differ.",
        t);
}

std::string outlier_table(const study_report& report) {
    markdown_table t({"runtime", "configuration", "run", "metric", "%", "what else was unusual"});
    for (const runtime_report& r : report.runtimes)
        for (const outlier_report& o : r.outliers)
            t.add({r.name, o.config, fmt::format("{}", o.run), label_of(o.metric), number(o.value, "%"),
                   o.unusual.empty() ? "nothing that was recorded" : fmt::format("{}", fmt::join(o.unusual, "; "))});
    return part("Runs that stand out", "Beyond Tukey's fences of their runtime. They are in every figure.", t);
}

std::string agent_tables(const study_report& report) {
    markdown_table t({"runs of", "agent", "n", "TTFT, ms", "E2E, ms", "tok/s of a request", "tokens of a reply"});
    for (const agent_figures& a : report.agents)
        t.add({a.runtime.empty() ? a.config : a.runtime, a.agent, count(a.n), number(a.ttft_ms), number(a.e2e_ms),
               number(a.tokens_per_second), number(a.tokens)});
    markdown_table deltas({"runs of", "agents", "metric", "n", "difference", "95 % CI", "p"});
    for (const agent_delta& d : report.agent_deltas)
        deltas.add({d.runtime.empty() ? d.config : d.runtime, fmt::format("{} - {}", d.agent, d.against),
                    d.metric == "ttft_ms" ? "TTFT, ms" : "tok/s of a request", count(d.n), number(d.difference),
                    range(d.ci95, "", "none"), d.p ? number(d.p) : "none"});
    return part("Agent by agent",
                "TTFT and E2E are medians over runs, the others means. Configurations: over all runtimes whose agents "
                "ran side by "
                "side.",
                t) +
           part("Agents against the first one",
                "Paired run by run; runs in which a server loaded its model are left out.", deltas);
}

std::string improvement_tables(const study_report& report) {
    std::string out;
    for (const improvement_report& i : report.improvements) {
        const std::string unit = unit_in(report, i.metric);
        markdown_table t({"configuration", "n", "mean", "CV %", "change %"});
        for (const improved_config& c : i.by_config)
            t.add({c.config, count(c.n), number(c.mean, unit), number(c.cv_pct, "%"),
                   c.config == i.baseline ? "baseline" : number(c.improvement_pct, "%")});
        out += part(fmt::format("{} against {}", label_of(i.metric), i.baseline),
                    fmt::format("{} % of the configurations are better; mean change {} %, best {} %.",
                                number(i.success_rate_pct, "%"), number(i.mean_pct, "%"), number(i.peak_pct, "%")),
                    t);
        markdown_table groups({"of", "", "configurations", "better", "%"});
        for (const improved_group& g : i.groups)
            groups.add({g.kind, g.name, count(g.configs), count(g.better),
                        number(static_cast<double>(g.better) / static_cast<double>(g.configs) * 100, "%")});
        out += part(fmt::format("Configurations better than {} by {}", i.baseline, label_of(i.metric)), "", groups);
    }
    return out;
}

std::string order_tables(const study_report& report) {
    const order_report& o = report.order;
    markdown_table drift({"metric", "n", "change in ten runs", "95 % CI", "p"});
    for (const drift_report& d : o.drift) {
        const std::string unit = unit_in(report, d.metric);
        drift.add({fmt::format("{}, {}", label_of(d.metric), unit), count(d.n), number(d.in_ten_runs), range(d.ci95),
                   number(d.p)});
    }
    const std::string order = !o.one_after_another ? ""
                              : *o.one_after_another
                                  ? fmt::format(" The runtimes ran one after another: {}.", fmt::join(o.sequence, ", "))
                                  : " The runtimes' runs were mixed in time.";
    return part("Drift",
                "The slope over the order of the runs, within a runtime and configuration, without first runs." + order,
                drift) +
           contrast_table(
               report, o.cold, "Cold and warm", "cold", "warm",
               "Cold: a server loaded its model, for half a second more than the median load and three times as "
               "long.") +
           contrast_table(report, o.first, "First runs", "first", "later",
                          "The first run of each configuration against the later ones.");
}

std::string parity_table(const study_report& report) {
    if (report.parity.empty()) return "";
    std::vector<std::string> head{"work of a run"};
    for (const parity_cell& c : report.parity.front().cells) head.push_back(c.runtime);
    head.emplace_back("equal");
    markdown_table t(head);
    for (const parity_report& p : report.parity) {
        std::vector<std::string> cells{p.quantity};
        for (const parity_cell& c : p.cells) cells.push_back(number(c.mean));
        cells.push_back(yes_or_no(p.equal));
        t.add(std::move(cells));
    }
    return part(
        "The same work for every runtime?",
        "Means over runs. Equal: runs of the same number in the same configuration had the same on every runtime.", t);
}

} // namespace chimera::host
