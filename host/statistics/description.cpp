#include "statistics/description.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace chimera::host::statistics {

moments moments_of(sample x) {
    moments m;
    if (x.empty()) return m;
    m.n = static_cast<double>(x.size());
    double sum = 0; // of distances from the first value: equal values then leave no rounding error
    for (const double value : x) sum += value - x.front();
    m.mean = x.front() + sum / m.n;
    for (const double value : x) m.squares += (value - m.mean) * (value - m.mean);
    return m;
}

double quantile(sample sorted, double p) noexcept {
    const double place = p * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

namespace {

/// Puts those values into their places in sorted order that the quantiles need, which takes a fraction of the time of
/// sorting a million. The levels ascend.
void sort_for_quantiles(std::span<double> values, std::initializer_list<double> levels) {
    std::size_t first = 0; // what is in front of it is in its place, or below all that are asked for
    for (const double p : levels) {
        const auto below = static_cast<std::size_t>(p * static_cast<double>(values.size() - 1));
        for (const std::size_t place : {below, std::min(below + 1, values.size() - 1)}) {
            if (place < first) continue;
            const auto rest = values.subspan(first);
            std::ranges::nth_element(rest, rest.begin() + static_cast<std::ptrdiff_t>(place - first));
            first = place + 1;
        }
    }
}

} // namespace

description describe(std::vector<double> values) { return describe_in_place(values); }

description describe_in_place(std::span<double> values) {
    description d;
    if (values.empty()) return d;
    const moments m = moments_of(values);
    d.n = values.size();
    d.mean = m.mean;
    if (d.n >= 2) {
        d.sd = std::sqrt(m.variance());
        const boost::math::students_t t(m.n - 1);
        const double half = boost::math::quantile(t, 0.975) * d.sd / std::sqrt(m.n);
        d.ci95 = interval{d.mean - half, d.mean + half};
    }
    if (d.mean != 0) d.cv_pct = d.sd / std::abs(d.mean) * 100;
    const auto [min, max] = std::ranges::minmax(values);
    d.min = min;
    d.max = max;
    sort_for_quantiles(values, {0.50, 0.90, 0.95, 0.99});
    d.p50 = quantile(values, 0.50);
    d.p90 = quantile(values, 0.90);
    d.p95 = quantile(values, 0.95);
    d.p99 = quantile(values, 0.99);
    return d;
}

std::vector<std::size_t> outliers(sample x) {
    std::vector<std::size_t> out;
    if (x.empty()) return out;
    std::vector<double> sorted(x.begin(), x.end());
    std::ranges::sort(sorted);
    const double q1 = quantile(sorted, 0.25), q3 = quantile(sorted, 0.75);
    const double low = q1 - 1.5 * (q3 - q1), high = q3 + 1.5 * (q3 - q1);
    for (std::size_t i = 0; i < x.size(); ++i)
        if (x[i] < low || x[i] > high) out.push_back(i);
    return out;
}

std::optional<parameter_effect> effect_of(std::span<const sample> levels) {
    if (levels.size() < 2 || std::ranges::any_of(levels, &sample::empty)) return std::nullopt;
    std::vector<double> all;
    for (const sample level : levels) all.insert(all.end(), level.begin(), level.end());
    const double grand_mean = moments_of(all).mean;

    parameter_effect effect{{}, std::nullopt, 0};
    double between = 0, within = 0;
    for (const sample level : levels) {
        const moments m = moments_of(level);
        between += m.n * (m.mean - grand_mean) * (m.mean - grand_mean);
        within += m.squares;
        effect.levels.push_back(describe({level.begin(), level.end()}));
    }
    if (between > 0) effect.eta_squared = between / (between + within);
    const auto [lowest, highest] = std::ranges::minmax(effect.levels, {}, &description::mean);
    if (grand_mean != 0) effect.range_pct = (highest.mean - lowest.mean) / std::abs(grand_mean) * 100;
    return effect;
}

} // namespace chimera::host::statistics
