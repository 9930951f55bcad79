#include "statistics/two_samples.hpp"

#include "statistics/mean_difference.hpp"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chimera::host::statistics {
namespace {

/// There are C(50, 25) < 2^53 ways of dealing 50 values: a double counts them without rounding.
constexpr std::size_t most_for_exact = 50;

/// Ranks of the pooled values, doubled: tied values share the mean of their ranks, and twice that is whole.
struct ranking {
    std::vector<std::size_t> doubled;
    std::size_t sum_of_a = 0; ///< of the doubled ranks
    double ties = 0;          ///< sum of t^3 - t over the groups of t equal values
};

ranking rank(sample a, sample b) {
    std::vector<double> pool(a.begin(), a.end());
    pool.insert(pool.end(), b.begin(), b.end());
    std::ranges::sort(pool);
    ranking r;
    for (auto group = pool.begin(); group != pool.end();) {
        const auto end = std::upper_bound(group, pool.end(), *group);
        const auto size = static_cast<std::size_t>(end - group);
        const std::size_t doubled = 2 * r.doubled.size() + 1 + size;
        r.sum_of_a += doubled * static_cast<std::size_t>(std::ranges::count(a, *group));
        r.doubled.insert(r.doubled.end(), size, doubled);
        const auto t = static_cast<double>(size);
        r.ties += t * t * t - t;
        group = end;
    }
    return r;
}

/// Counts the ways of dealing size_a of the ranks to a, by their sum.
double exact_p(const ranking& r, std::size_t size_a) {
    const std::size_t total = std::accumulate(r.doubled.begin(), r.doubled.end(), std::size_t{0});
    std::vector<std::vector<double>> ways(size_a + 1, std::vector<double>(total + 1)); // [dealt to a][their sum]
    ways[0][0] = 1;
    for (const std::size_t rank : r.doubled)
        for (std::size_t dealt = size_a; dealt > 0; --dealt)
            for (std::size_t sum = rank; sum <= total; ++sum) ways[dealt][sum] += ways[dealt - 1][sum - rank];
    const auto begin = ways[size_a].begin(), observed = begin + static_cast<std::ptrdiff_t>(r.sum_of_a);
    const double below = std::accumulate(begin, observed, 0.0),
                 above = std::accumulate(observed + 1, ways[size_a].end(), 0.0);
    return std::min(1.0, 2 * (std::min(below, above) + *observed) / (below + *observed + above));
}

double normal_p(double u, double size_a, double size_b, double ties) {
    const double pairs = size_a * size_b, all = size_a + size_b;
    const double variance = pairs / 12 * (all + 1 - ties / (all * (all - 1)));
    const double distance = std::abs(u - pairs / 2) - 0.5;
    if (variance <= 0 || distance <= 0) return 1;
    return 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), distance / std::sqrt(variance)));
}

comparison figures_of(sample a, sample b) {
    comparison c;
    c.a = describe({a.begin(), a.end()});
    c.b = describe({b.begin(), b.end()});
    c.difference = c.a.mean - c.b.mean;
    c.welch = welch(a, b);
    if (c.welch) c.ci95 = c.welch->ci95;
    c.mann_whitney = mann_whitney(a, b);
    c.cohens_d = cohens_d(a, b);
    c.hedges_g = hedges_g(a, b);
    return c;
}

bool enough_runs(const comparison& c) { return std::min(c.a.n, c.b.n) >= 3; }

verdict judge(const comparison& c) {
    if (!enough_runs(c)) return verdict::too_few_runs;
    if (c.p_holm < significance_level) return c.difference > 0 ? verdict::a_higher : verdict::b_higher;
    return c.welch ? verdict::no_detectable_difference : verdict::too_few_runs;
}

} // namespace

std::optional<welch_result> welch(sample a, sample b) {
    const auto d = difference_of(a, b);
    if (!d) return std::nullopt;
    if (d->error == 0) {
        if (d->difference != 0) return std::nullopt;
        return welch_result{0, {0, 0}, 0, d->df, 1};
    }
    const boost::math::students_t distribution(d->df);
    const double t = d->difference / d->error, half = boost::math::quantile(distribution, 0.975) * d->error;
    const double p = 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(t)));
    return welch_result{d->difference, {d->difference - half, d->difference + half}, t, d->df, p};
}

std::optional<mann_whitney_result> mann_whitney(sample a, sample b) {
    if (a.empty() || b.empty()) return std::nullopt;
    const ranking r = rank(a, b);
    const double u = static_cast<double>(r.sum_of_a - a.size() * (a.size() + 1)) / 2;
    if (a.size() + b.size() <= most_for_exact) return mann_whitney_result{u, exact_p(r, a.size()), true};
    const double p = normal_p(u, static_cast<double>(a.size()), static_cast<double>(b.size()), r.ties);
    return mann_whitney_result{u, p, false};
}

std::optional<double> cohens_d(sample a, sample b) {
    if (a.size() < 2 || b.size() < 2) return std::nullopt;
    const moments in_a = moments_of(a), in_b = moments_of(b);
    const double difference = in_a.mean - in_b.mean;
    if (difference == 0) return 0;
    const double pooled = std::sqrt((in_a.squares + in_b.squares) / (in_a.n + in_b.n - 2));
    if (pooled == 0) return std::nullopt;
    return difference / pooled;
}

std::optional<double> hedges_g(sample a, sample b) {
    const std::optional<double> d = cohens_d(a, b);
    if (!d) return std::nullopt;
    const double half = static_cast<double>(a.size() + b.size() - 2) / 2;
    return *d * boost::math::tgamma_ratio(half, half - 0.5) / std::sqrt(half);
}

std::vector<double> holm(std::span<const double> p) {
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return p[i]; });
    std::vector<double> adjusted(p.size());
    double largest = 0;
    for (std::size_t step = 0; step < order.size(); ++step) {
        largest = std::max(largest, static_cast<double>(p.size() - step) * p[order[step]]);
        adjusted[order[step]] = std::min(1.0, largest);
    }
    return adjusted;
}

std::vector<comparison> compare_pairs(std::span<const std::pair<sample, sample>> pairs) {
    std::vector<comparison> result;
    for (const auto& [a, b] : pairs) result.push_back(figures_of(a, b));

    std::vector<double> p;
    for (const comparison& c : result)
        if (enough_runs(c)) p.push_back(c.welch ? c.welch->p : c.mann_whitney->p);
    const std::vector<double> adjusted = holm(p);
    auto next = adjusted.begin();
    for (comparison& c : result) {
        if (enough_runs(c)) c.p_holm = *next++;
        c.says = judge(c);
    }
    return result;
}

} // namespace chimera::host::statistics
