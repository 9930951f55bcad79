#include "statistics/scaling.hpp"

#include <algorithm>
#include <map>

namespace chimera::host::statistics {

double jain_index(sample shares) {
    double sum = 0, squares = 0;
    for (const double x : shares) {
        sum += x;
        squares += x * x;
    }
    return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 1;
}

std::optional<double> saturation_point(std::span<const scaling_point> points) {
    std::map<double, std::vector<double>> by_n;
    for (const scaling_point& p : points) by_n[p.n].push_back(p.throughput);
    std::vector<scaling_point> curve;
    for (const auto& [n, throughputs] : by_n) curve.push_back({n, describe(throughputs).mean});
    if (curve.empty()) return std::nullopt;

    const double worthwhile = 0.1 * curve.front().throughput / curve.front().n;
    for (auto at = curve.begin(); at != curve.end() - 1; ++at) {
        const auto gains_little = [&](const scaling_point& later) {
            return later.throughput - at->throughput < worthwhile * (later.n - at->n);
        };
        if (std::all_of(at + 1, curve.end(), gains_little)) return at->n;
    }
    return std::nullopt;
}

} // namespace chimera::host::statistics
