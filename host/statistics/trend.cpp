#include "statistics/trend.hpp"

#include <boost/math/distributions/normal.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace chimera::host::statistics {
namespace {

constexpr std::size_t fewest_points = 4;

double quantile_975() { return boost::math::quantile(boost::math::normal(), 0.975); }

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks_of(const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&values](std::size_t i) { return values[i]; });
    std::vector<double> out(values.size());
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin;
        while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
        for (std::size_t i = begin; i < end; ++i) out[order[i]] = static_cast<double>(begin + end + 1) / 2;
        begin = end;
    }
    return out;
}

/// n / n* of Hamed and Rao, at least 1.
double dependence_of(sample x, sample y, double slope) {
    std::vector<double> rest(y.size());
    for (std::size_t i = 0; i < y.size(); ++i) rest[i] = y[i] - slope * x[i];
    std::vector<double> ranks = ranks_of(rest);
    const auto n = static_cast<double>(ranks.size());
    for (double& r : ranks) r -= (n + 1) / 2;
    double variance = 0;
    for (const double r : ranks) variance += r * r;
    if (variance == 0) return 1;
    const double significant = quantile_975() / std::sqrt(n);
    double sum = 0;
    for (std::size_t lag = 1; lag + 2 < ranks.size(); ++lag) {
        double covariance = 0;
        for (std::size_t i = 0; i + lag < ranks.size(); ++i) covariance += ranks[i] * ranks[i + lag];
        const double correlation = covariance / variance;
        if (std::abs(correlation) <= significant) continue;
        const double left = n - static_cast<double>(lag);
        sum += left * (left - 1) * (left - 2) * correlation;
    }
    return std::max(1.0, 1 + 2 * sum / (n * (n - 1) * (n - 2)));
}

} // namespace

std::optional<trend> trend_of(sample x, sample y, bool independent) {
    const std::size_t points = y.size();
    if (points < fewest_points) return std::nullopt;
    std::vector<double> slopes;
    slopes.reserve(points * (points - 1) / 2);
    double s = 0;
    for (std::size_t i = 0; i < points; ++i)
        for (std::size_t j = i + 1; j < points; ++j) {
            slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
            s += y[j] > y[i] ? 1 : y[j] < y[i] ? -1 : 0;
        }
    std::ranges::sort(slopes);
    const auto n = static_cast<double>(points), pairs = static_cast<double>(slopes.size());

    std::map<double, double> equal;
    for (const double value : y) ++equal[value];
    double variance = n * (n - 1) * (2 * n + 5), tied_pairs = 0;
    for (const auto& [value, times] : equal) {
        variance -= times * (times - 1) * (2 * times + 5);
        tied_pairs += times * (times - 1) / 2;
    }
    variance /= 18;
    if (equal.size() == 1) return std::nullopt;

    trend out{quantile(slopes, 0.5), {}, s / std::sqrt(pairs * (pairs - tied_pairs)), 1, 1};
    if (!independent) out.dependence = dependence_of(x, y, out.slope);
    const double deviation = std::sqrt(variance * out.dependence);
    out.p = std::erfc(std::abs(s) / deviation / std::sqrt(2.0));
    // Sen's ranks of the two limits among the slopes, rounded as SciPy does: half to even.
    const double half = quantile_975() * deviation;
    const double last = pairs - 1;
    const double low = std::clamp(std::nearbyint((pairs - half) / 2) - 1, 0.0, last);
    const double high = std::clamp(std::nearbyint((pairs + half) / 2), 0.0, last);
    out.ci95 = {slopes[static_cast<std::size_t>(low)], slopes[static_cast<std::size_t>(high)]};
    return out;
}

} // namespace chimera::host::statistics
