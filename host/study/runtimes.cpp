#include "study/analysis.hpp"

#include "statistics/description.hpp"

#include <algorithm>

namespace chimera::host {
namespace {

/// The parts of the lost agent-time.
constexpr std::pair<const char*, metric> loss_parts[] = {
    {"late_permit", metric::late_permit},
    {"late_blocked", metric::late_blocked},
    {"late_spawn", metric::late_spawn},
    {"imbalance", metric::imbalance},
    {"scheduling", metric::inflation_scheduling},
    {"blocked", metric::inflation_blocked},
    {"transport", metric::inflation_transport},
    {"head_of_line", metric::inflation_head_of_line},
    {"parsing", metric::inflation_parsing},
    {"work", metric::inflation_work},
    {"coordination", metric::inflation_coordination},
    {"server", metric::inflation_server},
};

/// A figure of a sample; nothing for an empty one.
std::optional<double> figure_of(const statistics::description& d, double value) {
    return d.n > 0 ? std::optional(value) : std::nullopt;
}

/// A scatter takes two values.
std::optional<double> scatter_of(const statistics::description& d, double value) {
    return d.n > 1 ? std::optional(value) : std::nullopt;
}

described describe_runs(std::vector<double> values) {
    std::ranges::sort(values);
    const statistics::description d = statistics::describe(values);
    return {.n = d.n,
            .mean = d.mean,
            .sd = scatter_of(d, d.sd),
            .cv_pct = scatter_of(d, d.cv_pct),
            .median = d.p50,
            .q1 = statistics::quantile(values, 0.25),
            .q3 = statistics::quantile(values, 0.75),
            .min = d.min,
            .max = d.max,
            .ci95 = d.ci95};
}

/// What the self-checks and the verdicts of its runs say.
void add_verdicts(runtime_report& out, const study& s) {
    std::size_t checked = 0, client_limited = 0, arrival_limited = 0, judged = 0, serialized = 0;
    for (const study_run& run : s.runs) {
        if (run.runtime != out.name || !run.ok()) continue;
        ++out.runs;
        if (const auto& client = run.result.client) {
            ++checked;
            client_limited += !client->client_limited.empty();
            arrival_limited += !client->arrival_limited.empty();
        }
        const auto& verdict = run.result.serialization;
        judged += verdict.has_value();
        if (!verdict || !verdict->serialized() || serialized++ > 0) continue;
        out.cause = word_of(verdict->cause);
        if (!verdict->evidence.empty()) out.evidence = verdict->evidence;
    }
    if (judged > 0) out.serialized_runs = serialized;
    if (checked == 0) return;
    out.client_limited_runs = client_limited;
    out.arrival_limited_runs = arrival_limited;
}

void add_outliers(runtime_report& out, const study& s, const std::string& metric) {
    std::vector<const study_run*> runs;
    for (const study_run& run : s.runs)
        if (run.runtime == out.name && run.ok() && run.value(metric)) runs.push_back(&run);
    const std::vector<double> values = values_of(s, out.name, metric);
    for (const std::size_t i : statistics::outliers(values))
        out.outliers.push_back({metric, runs[i]->config, runs[i]->number, values[i], unusual_in(*runs[i], s)});
}

runtime_report runtime_of(const study& s, const planned_runtime& runtime, const std::string& headline) {
    runtime_report out;
    out.name = runtime.name;
    out.executor = runtime.executor;
    out.transport = runtime.transport;
    out.foreign = runtime.foreign;
    const std::vector<double> values = values_of(s, runtime.name, headline);
    const statistics::description d = statistics::describe(values);
    out.n = d.n;
    out.mean_pct = figure_of(d, d.mean);
    out.sd_pct = scatter_of(d, d.sd);
    out.cv_pct = scatter_of(d, d.cv_pct);
    out.median_pct = figure_of(d, d.p50);
    out.min_pct = figure_of(d, d.min);
    out.peak_pct = figure_of(d, d.max);
    out.ci95_pct = d.ci95;
    add_outliers(out, s, headline);
    // What was published of runs without a baseline is the estimate: its outliers are not those of the recovered
    // figure.
    if (headline == name_of(metric::recovered_efficiency)) add_outliers(out, s, name_of(metric::estimated_efficiency));
    std::vector<double> config_means;
    for (const planned_configuration& c : s.configs)
        if (const auto of_config = statistics::describe(values_of(s, runtime.name, headline, c.name)); of_config.n > 0)
            config_means.push_back(of_config.mean);
    if (config_means.size() > 1) out.sd_of_config_means_pct = statistics::describe(config_means).sd;
    for (const std::string& name : figure_names(s))
        if (auto of_figure = values_of(s, runtime.name, name); !of_figure.empty())
            out.values.emplace_back(name, describe_runs(std::move(of_figure)));
    out.estimated_mean_pct = out.mean(metric::estimated_efficiency);
    out.imbalance_bound_mean_pct = out.mean(metric::imbalance_bound);
    out.remainder_mean_pct = out.mean(metric::remainder);
    for (const auto& [name, part] : loss_parts) out.loss_pct.emplace_back(name, out.mean(part));
    add_verdicts(out, s);
    return out;
}

} // namespace

std::vector<runtime_report> runtimes_of(const study& s) {
    std::vector<runtime_report> out;
    for (const planned_runtime& r : s.runtimes) out.push_back(runtime_of(s, r, headline_of(s)));
    return out;
}

std::vector<const runtime_report*> side_by_side(const std::vector<runtime_report>& all) {
    std::vector<const runtime_report*> out;
    for (const runtime_report& r : all)
        if (r.n > 0 && !r.serialized()) out.push_back(&r);
    return out;
}

std::optional<double> mean_over(const std::vector<const runtime_report*>& runtimes, const std::string& metric) {
    double sum = 0;
    std::size_t n = 0;
    for (const runtime_report* r : runtimes)
        if (const described* found = r->find(metric)) {
            sum += found->mean * static_cast<double>(found->n);
            n += found->n;
        }
    return n > 0 ? std::optional(sum / static_cast<double>(n)) : std::nullopt;
}

std::vector<config_report> configs_of(const study& s) {
    const std::string& headline = headline_of(s);
    std::vector<config_report> out;
    for (const planned_runtime& r : s.runtimes)
        for (const planned_configuration& c : s.configs) {
            const auto d = statistics::describe(values_of(s, r.name, headline, c.name));
            out.push_back({.runtime = r.name,
                           .config = c.name,
                           .n = d.n,
                           .mean_pct = figure_of(d, d.mean),
                           .sd_pct = scatter_of(d, d.sd),
                           .ci95_pct = d.ci95,
                           .min_pct = figure_of(d, d.min),
                           .peak_pct = figure_of(d, d.max),
                           .median_pct = figure_of(d, d.p50)});
        }
    return out;
}

} // namespace chimera::host
