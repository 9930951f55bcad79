#include "study/runtime_comparison.hpp"

#include "study/metric_catalogue.hpp"
#include "study/runtime_result.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* compared_metrics[] = {"ttft_ms_p50", "itl_ms_p50", "e2e_ms_p50", "throughput_tok_s",
                                            "client_overhead_pct_mean"};

/// Differences of percentages are points.
std::string unit_of_difference(const std::string& unit) { return unit == "%" ? "points" : unit; }

json welch_json(const std::optional<statistics::welch_result>& w) {
    return w ? json{{"t", w->t}, {"df", w->df}, {"p", w->p}} : json(nullptr);
}

json mann_whitney_json(const metric_comparison& c) {
    const auto& m = c.figures.mann_whitney;
    return m ? json{{"u", m->u}, {"p", m->p}, {"exact", m->exact}, {"p_holm", or_null(c.rank_p_holm)}} : json(nullptr);
}

/// Holm's correction of the U tests of all pairs.
void correct_ranks(std::vector<metric_comparison>& all) {
    std::vector<double> p;
    for (const metric_comparison& c : all)
        if (c.figures.mann_whitney) p.push_back(c.figures.mann_whitney->p);
    const std::vector<double> corrected = statistics::holm(p);
    auto next = corrected.begin();
    for (metric_comparison& c : all)
        if (c.figures.mann_whitney) c.rank_p_holm = *next++;
}

std::optional<statistics::description> paired(const study& s, const std::string& a, const std::string& b,
                                              const std::string& metric) {
    std::map<std::pair<std::string, int>, double> of_a;
    for (const study_run& run : s.runs)
        if (const auto value = run.value(metric); run.ok() && value && run.runtime == a)
            of_a[{run.config, run.number}] = *value;
    std::vector<double> differences;
    for (const study_run& run : s.runs) {
        if (!run.ok() || run.runtime != b) continue;
        const auto same = of_a.find({run.config, run.number});
        if (const auto value = run.value(metric); value && same != of_a.end())
            differences.push_back(same->second - *value);
    }
    return differences.empty() ? std::nullopt : std::optional(statistics::describe(differences));
}

} // namespace

std::vector<metric_comparison> compare_all(const std::string& metric, const std::string& unit,
                                           std::span<const named_sample> samples) {
    std::vector<metric_comparison> out;
    std::vector<std::pair<statistics::sample, statistics::sample>> pairs;
    for (std::size_t i = 0; i < samples.size(); ++i)
        for (std::size_t k = i + 1; k < samples.size(); ++k) {
            if (samples[i].values.empty() || samples[k].values.empty()) continue;
            out.push_back({metric, unit, samples[i].name, samples[k].name, {}, {}, {}});
            pairs.emplace_back(samples[i].values, samples[k].values);
        }
    const auto figures = statistics::compare_pairs(pairs);
    for (std::size_t i = 0; i < out.size(); ++i) out[i].figures = figures[i];
    correct_ranks(out);
    return out;
}

std::vector<metric_comparison> compare_runtimes(const study& s) {
    std::vector<std::string> metrics{headline_of(s)};
    metrics.insert(metrics.end(), std::begin(compared_metrics), std::end(compared_metrics));
    std::vector<metric_comparison> out;
    for (const std::string& metric : metrics) {
        std::vector<named_sample> samples;
        for (const study_runtime& r : s.runtimes) samples.push_back({r.name, values_of(s, r.name, metric)});
        for (metric_comparison& c : compare_all(metric, definition_of(s, metric).unit, samples)) {
            if (s.sweep && s.source == "chimera") c.paired = paired(s, c.a, c.b, metric);
            out.push_back(std::move(c));
        }
    }
    return out;
}

const char* name_of(statistics::verdict v) noexcept {
    switch (v) {
    case statistics::verdict::a_higher:
        return "a_higher";
    case statistics::verdict::b_higher:
        return "b_higher";
    case statistics::verdict::no_detectable_difference:
        return "no_detectable_difference";
    case statistics::verdict::too_few_runs:
        break;
    }
    return "too_few_runs";
}

bool detectable(const metric_comparison& c) noexcept {
    return c.figures.says == statistics::verdict::a_higher || c.figures.says == statistics::verdict::b_higher;
}

bool ranks_differ(const metric_comparison& c) noexcept {
    return c.figures.says == statistics::verdict::no_detectable_difference && c.rank_p_holm &&
           *c.rank_p_holm < statistics::significance_level;
}

std::string rounded(double v) { return std::abs(v) >= 1000 ? fmt::format("{:.0f}", v) : fmt::format("{:.4g}", v); }

std::string words_of(const metric_comparison& c) {
    const statistics::comparison& f = c.figures;
    const std::string sizes = fmt::format("{} runs against {}", f.a.n, f.b.n);
    if (f.says == statistics::verdict::too_few_runs)
        return fmt::format("too few runs to tell {} and {} apart ({})", c.a, c.b, sizes);
    const std::string unit = unit_of_difference(c.unit);
    const std::string interval = f.ci95 ? fmt::format("95 % CI {} to {}", rounded(f.ci95->low), rounded(f.ci95->high))
                                        : std::string("no interval: neither varies");
    const std::string figures = fmt::format("{}{} {}, {}, p {:.2g} after Holm, {}", f.difference > 0 ? "+" : "",
                                            rounded(f.difference), unit, interval, f.p_holm, sizes);
    if (ranks_differ(c))
        return fmt::format(
            "no detectable difference between the means of {} and {} ({}), but their ranks differ: medians {} and "
            "{}, U test p {:.2g} after Holm",
            c.a, c.b, figures, rounded(f.a.p50), rounded(f.b.p50), *c.rank_p_holm);
    if (f.says == statistics::verdict::no_detectable_difference)
        return fmt::format("no detectable difference between {} and {} ({})", c.a, c.b, figures);
    const bool a = f.says == statistics::verdict::a_higher;
    return fmt::format("{} is higher than {} ({})", a ? c.a : c.b, a ? c.b : c.a, figures);
}

json to_json(const metric_comparison& c) {
    const statistics::comparison& f = c.figures;
    return {{"metric", c.metric},
            {"unit", c.unit},
            {"a", c.a},
            {"b", c.b},
            {"n_a", f.a.n},
            {"n_b", f.b.n},
            {"mean_a", f.a.mean},
            {"mean_b", f.b.mean},
            {"difference", f.difference},
            {"ci95", to_json(f.ci95)},
            {"welch", welch_json(f.welch)},
            {"mann_whitney", mann_whitney_json(c)},
            {"paired", c.paired
                           ? json{{"n", c.paired->n}, {"difference", c.paired->mean}, {"ci95", to_json(c.paired->ci95)}}
                           : json(nullptr)},
            {"cohens_d", or_null(f.cohens_d)},
            {"hedges_g", or_null(f.hedges_g)},
            {"p_holm", f.p_holm},
            {"verdict", name_of(f.says)},
            {"words", words_of(c)}};
}

} // namespace chimera::host
