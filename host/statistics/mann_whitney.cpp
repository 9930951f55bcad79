#include "statistics/mann_whitney.hpp"

#include <boost/math/distributions/normal.hpp>

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

} // namespace

std::optional<mann_whitney_result> mann_whitney(sample a, sample b) {
    if (a.empty() || b.empty()) return std::nullopt;
    const ranking r = rank(a, b);
    const double u = static_cast<double>(r.sum_of_a - a.size() * (a.size() + 1)) / 2;
    if (a.size() + b.size() <= most_for_exact) return mann_whitney_result{u, exact_p(r, a.size()), true};
    const double p = normal_p(u, static_cast<double>(a.size()), static_cast<double>(b.size()), r.ties);
    return mann_whitney_result{u, p, false};
}

} // namespace chimera::host::statistics
