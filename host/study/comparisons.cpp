#include "study/analysis.hpp"

#include "statistics/power.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace chimera::host {
namespace {

constexpr figure compared[] = {{metric::ttft, statistic::p50},
                               {metric::itl, statistic::p50},
                               {metric::e2e, statistic::p50},
                               metric::throughput,
                               {metric::client_overhead, statistic::mean}};

std::string words_of(const comparison_report& c) {
    using statistics::verdict;
    const std::string sizes = fmt::format("{} {} against {}", c.n_a, c.n_a == 1 ? "run" : "runs", c.n_b);
    if (c.verdict == verdict::too_few_runs)
        return fmt::format("too few runs to tell {} and {} apart ({})", c.a, c.b, sizes);
    const std::string unit = unit_of_difference(c.unit);
    // b minus a, as a change from a to b is; where a is named as the higher one, a minus b.
    const double sign = c.verdict == verdict::a_higher ? 1 : -1;
    std::string interval = "no interval: neither varies";
    if (c.ci95) {
        const auto [low, high] = std::minmax({sign * c.ci95->low, sign * c.ci95->high});
        interval = fmt::format("95 % CI {} to {}", rounded(low), rounded(high));
    }
    const double difference = sign * c.difference;
    const std::string figures = fmt::format("{}{} {}, {}, p {:.2g} after Holm, {}", difference > 0 ? "+" : "",
                                            rounded(difference), unit, interval, c.p_holm, sizes);
    if (c.ranks_differ())
        return fmt::format(
            "no detectable difference between the means of {} and {} ({}), but their ranks differ: medians "
            "{} and {}, U test p {:.2g} after Holm",
            c.a, c.b, figures, rounded(c.median_a), rounded(c.median_b), *c.mann_whitney->p_holm);
    if (c.verdict == verdict::no_detectable_difference)
        return fmt::format("no detectable difference between {} and {} ({}{})", c.a, c.b, figures,
                           c.detectable_difference
                               ? fmt::format("; {} {} would have shown", rounded(*c.detectable_difference), unit)
                               : "");
    const bool b_higher = c.verdict == verdict::b_higher;
    return fmt::format("{} is higher than {} ({})", b_higher ? c.b : c.a, b_higher ? c.a : c.b, figures);
}

comparison_report row_of(const std::string& metric, const std::string& unit, const std::string& a, const std::string& b,
                         const statistics::comparison& f) {
    comparison_report out;
    out.metric = metric;
    out.unit = unit;
    out.a = a;
    out.b = b;
    out.n_a = f.a.n;
    out.n_b = f.b.n;
    out.mean_a = f.a.mean;
    out.mean_b = f.b.mean;
    out.median_a = f.a.p50;
    out.median_b = f.b.p50;
    out.sd_a = f.a.sd;
    out.sd_b = f.b.sd;
    out.difference = f.difference;
    out.ci95 = f.ci95;
    if (const auto& w = f.welch) out.welch = welch_report{w->t, w->df, w->p};
    if (const auto& m = f.mann_whitney) out.mann_whitney = rank_report{m->u, m->p, m->exact, {}};
    out.cohens_d = f.cohens_d;
    out.hedges_g = f.hedges_g;
    out.p_holm = f.p_holm;
    out.verdict = f.says;
    return out;
}

/// With the level of the first step of Holm's correction over so many pairs.
void add_detectable_difference(comparison_report& c, std::size_t pairs) {
    if (c.n_a < 2 || c.n_b < 2) return;
    constexpr double power = 0.8;
    const statistics::spread a{static_cast<double>(c.n_a), c.sd_a * c.sd_a},
        b{static_cast<double>(c.n_b), c.sd_b * c.sd_b};
    if (a.variance + b.variance == 0) return;
    c.detectable_difference =
        statistics::detectable_difference(a, b, statistics::significance_level / static_cast<double>(pairs), power);
}

/// Holm's correction of the U tests of all pairs.
void correct_ranks(std::vector<comparison_report>& all) {
    std::vector<double> p;
    for (const comparison_report& c : all)
        if (c.mann_whitney) p.push_back(c.mann_whitney->p);
    const std::vector<double> corrected = statistics::holm(p);
    auto next = corrected.begin();
    for (comparison_report& c : all)
        if (c.mann_whitney) c.mann_whitney->p_holm = *next++;
}

std::optional<paired_report> paired(const study& s, const std::string& a, const std::string& b,
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
    if (differences.empty()) return std::nullopt;
    const auto d = statistics::describe(std::move(differences));
    return paired_report{d.n, d.mean, d.ci95};
}

} // namespace

std::vector<comparison_report> compare_all(const std::string& metric, const std::string& unit,
                                           std::span<const named_sample> samples) {
    std::vector<std::pair<const named_sample*, const named_sample*>> named;
    std::vector<std::pair<statistics::sample, statistics::sample>> pairs;
    for (std::size_t i = 0; i < samples.size(); ++i)
        for (std::size_t k = i + 1; k < samples.size(); ++k) {
            if (samples[i].values.empty() || samples[k].values.empty()) continue;
            named.emplace_back(&samples[i], &samples[k]);
            pairs.emplace_back(samples[i].values, samples[k].values);
        }
    const auto figures = statistics::compare_pairs(pairs);
    std::vector<comparison_report> out;
    for (std::size_t i = 0; i < pairs.size(); ++i)
        out.push_back(row_of(metric, unit, named[i].first->name, named[i].second->name, figures[i]));
    correct_ranks(out);
    for (comparison_report& c : out) {
        add_detectable_difference(c, out.size());
        c.words = words_of(c);
    }
    return out;
}

const std::string& choice_of(const study& s) {
    const bool cycles = headline_of(s) == name_of(metric::hundred_cycles);
    return agents_of(s) < 2 && !cycles ? name_of({metric::tokens_per_second, statistic::mean}) : headline_of(s);
}

std::vector<comparison_report> compare_runtimes(const study& s) {
    std::vector<std::string> metrics{choice_of(s)};
    for (const figure f : compared) metrics.push_back(name_of(f));
    std::vector<comparison_report> out;
    for (const std::string& metric : metrics) {
        std::vector<named_sample> samples;
        for (const planned_runtime& r : s.runtimes) samples.push_back({r.name, values_of(s, r.name, metric)});
        for (comparison_report& c : compare_all(metric, definition_of(s, metric).unit, samples)) {
            if (s.sweep && s.source == "chimera") c.paired = paired(s, c.a, c.b, metric);
            out.push_back(std::move(c));
        }
    }
    return out;
}

} // namespace chimera::host
