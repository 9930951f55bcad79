#include "study/overview.hpp"

#include "statistics/description.hpp"
#include "statistics/equivalence.hpp"
#include "statistics/one_sided.hpp"
#include "statistics/two_samples.hpp"

#include <algorithm>

namespace chimera::host {
namespace {

/// A key figure as people name it.
struct key_figure {
    figure of;
    const char* label;
    const char* unit;
    bool has_long_tail;
};

constexpr key_figure key_figures[] = {
    {metric::efficiency, "parallel efficiency", "%", false},
    {metric::recovered_efficiency, "parallel efficiency, recovered", "%", false},
    {metric::estimated_efficiency, "what TR110 to TR115 called efficiency", "%", false},
    {metric::speedup, "speedup", "x", false},
    {metric::hundred_cycles, "100 cycles", "ms", false},
    {metric::cycles_messages, "messages, of 100 cycles", "ms", false},
    {metric::cycles_decisions, "decisions, of 100 cycles", "ms", false},
    {metric::cycles_handling, "work: handling", "ms", false},
    {metric::cycles_consensus, "work: consensus", "ms", false},
    {metric::cycles_network, "work: network", "ms", false},
    {metric::cycles_serialization, "work: serialization", "ms", false},
    {metric::cycles_wait, "waiting", "ms", false},
    {{metric::round_trip, statistic::p50}, "message and answer", "us", true},
    {{metric::fast_decision, statistic::p50}, "fast decision", "us", true},
    {{metric::slow_decision, statistic::p50}, "signed decision", "us", true},
    {metric::coordination_share, "coordination, of the agents' time", "%", false},
    {metric::throughput, "tokens per second, all agents", "tok/s", false},
    {{metric::tokens_per_second, statistic::mean}, "tokens per second of a request", "tok/s", false},
    {{metric::ttft, statistic::p50}, "TTFT", "ms", true},
    {{metric::itl, statistic::p50}, "ITL", "ms", true},
    {{metric::e2e, statistic::p50}, "E2E", "ms", true},
    {{metric::tokens, statistic::mean}, "tokens of a reply", "1", false},
    {{metric::client_overhead, statistic::mean}, "client's share of E2E", "%", false},
    {metric::cpu, "CPU time of a run", "s", false},
    {metric::peak_memory, "memory", "MiB", false},
    {metric::startup, "start-up", "ms", true},
};

bool is_about_agents_together(const key_figure& k) {
    return k.of.of == metric::efficiency || k.of.of == metric::recovered_efficiency ||
           k.of.of == metric::estimated_efficiency || k.of.of == metric::speedup;
}

/// Where the efficiency was measured, its estimate from less is no key figure.
bool is_key(const study& s, const key_figure& k) {
    if (agents_of(s) == 1 && is_about_agents_together(k)) return false;
    const bool estimate = k.of.of == metric::estimated_efficiency;
    return s.definitions.contains(name_of(k.of)) && !(estimate && headline_of(s) == name_of(metric::efficiency));
}

overview_cell cell_of(const std::string& runtime, std::vector<double> values) {
    overview_cell out{.runtime = runtime, .n = values.size(), .mean = {}, .sd = {}, .q1 = {}, .median = {}, .q3 = {}};
    if (values.empty()) return out;
    std::ranges::sort(values);
    const statistics::description d = statistics::describe(values);
    out.mean = d.mean;
    if (d.n > 1) out.sd = d.sd;
    out.q1 = statistics::quantile(values, 0.25);
    out.median = d.p50;
    out.q3 = statistics::quantile(values, 0.75);
    return out;
}

/// The share of runs that failed, where some did.
std::optional<overview_row> failures_of(const study& s) {
    overview_row out{"failed_runs_pct", "runs that failed", "%", "measured", "mean", {}};
    bool any = false;
    for (const planned_runtime& runtime : s.runtimes) {
        std::vector<double> failed;
        for (const study_run& r : s.runs)
            if (r.runtime == runtime.name && !r.damaged()) failed.push_back(r.ok() ? 0 : 100);
        overview_cell cell = cell_of(runtime.name, failed);
        any = any || cell.mean.value_or(0) > 0;
        cell.sd.reset();
        out.cells.push_back(std::move(cell));
    }
    return any ? std::optional(std::move(out)) : std::nullopt;
}

std::vector<double> warm_values(const study& s, const std::string& runtime, const std::string& metric) {
    std::vector<double> out;
    for (const study_run& r : s.runs)
        if (const auto value = r.value(metric); r.ok() && value && r.runtime == runtime && !r.cold.value_or(false))
            out.push_back(*value);
    return out;
}

struct candidate {
    std::string runtime;
    std::vector<double> values;
    double figure; ///< the mean; of times, which have long tails, the median
};

/// p of no difference: by ranks where medians are compared, or where nothing varies.
double p_of_difference(const candidate& c, const candidate& best, bool by_ranks) {
    const auto welch = by_ranks ? std::nullopt : statistics::welch(best.values, c.values);
    return welch ? welch->p : statistics::mann_whitney(best.values, c.values)->p;
}

/// p of a difference beyond the margin.
std::optional<double> p_of_equivalence(const candidate& c, const candidate& best, double margin, bool by_ranks) {
    if (margin <= 0) return std::nullopt;
    if (by_ranks) return statistics::p_within_by_ranks(c.values, best.values, margin);
    const auto same = statistics::equivalence(c.values, best.values, margin);
    return same ? std::optional(same->p) : std::nullopt;
}

/// Against the best one. `p` is already corrected over the others.
standing standing_of(const candidate& c, const candidate& best, double margin, double p, bool by_ranks) {
    if (c.values == best.values) return standing::tied; // 0 ms in every run, say
    const auto same = p_of_equivalence(c, best, margin, by_ranks);
    if (same && *same < statistics::significance_level) return standing::tied;
    return p < statistics::significance_level ? standing::worse : standing::undecided;
}

void judge(decision_row& row, std::vector<candidate> all, better way, bool by_ranks) {
    std::ranges::stable_sort(all, [way](const candidate& a, const candidate& b) {
        return way == better::higher ? a.figure > b.figure : a.figure < b.figure;
    });
    const candidate& best = all.front();
    row.margin = row.unit == "%" ? 1 : 0.05 * std::abs(best.figure);
    std::vector<double> p;
    for (std::size_t i = 1; i < all.size(); ++i) p.push_back(p_of_difference(all[i], best, by_ranks));
    const std::vector<double> corrected = statistics::holm(p);
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto cell = std::ranges::find(row.cells, all[i].runtime, &decision_cell::runtime);
        cell->stands = i == 0 ? standing::best : standing_of(all[i], best, row.margin, corrected[i - 1], by_ranks);
    }
}

} // namespace

std::vector<overview_row> overview_of(const study& s) {
    std::vector<overview_row> out;
    for (const key_figure& k : key_figures) {
        if (!is_key(s, k)) continue;
        const std::string& name = name_of(k.of);
        overview_row row{name, k.label, k.unit, definition_of(s, name).provenance, k.has_long_tail ? "median" : "mean",
                         {}};
        for (const planned_runtime& r : s.runtimes) row.cells.push_back(cell_of(r.name, values_of(s, r.name, name)));
        out.push_back(std::move(row));
    }
    if (auto failures = failures_of(s)) out.push_back(std::move(*failures));
    return out;
}

std::vector<decision_row> decisions_of(const study& s, const std::vector<std::string>& serialized) {
    std::vector<decision_row> out;
    for (const key_figure& k : key_figures) {
        const std::string& name = name_of(k.of);
        const better way = better_of(name);
        // The estimate cannot see contention: it is no reason to choose a runtime.
        if (!is_key(s, k) || way == better::neither || k.of.of == metric::estimated_efficiency) continue;
        decision_row row{name, k.label, k.unit, 0, {}};
        std::vector<candidate> all;
        for (const planned_runtime& r : s.runtimes) {
            const bool is_serialized = std::ranges::find(serialized, r.name) != serialized.end();
            row.cells.push_back({r.name, is_serialized ? standing::serialized : standing::not_measured});
            std::vector<double> values = warm_values(s, r.name, name);
            constexpr std::size_t fewest = 3;
            if (is_serialized || values.empty()) continue;
            if (values.size() < fewest) {
                row.cells.back().stands = standing::undecided;
                continue;
            }
            const auto d = statistics::describe(values);
            all.push_back({r.name, std::move(values), k.has_long_tail ? d.p50 : d.mean});
        }
        if (all.size() < 2) continue;
        judge(row, std::move(all), way, k.has_long_tail);
        out.push_back(std::move(row));
    }
    return out;
}

} // namespace chimera::host
