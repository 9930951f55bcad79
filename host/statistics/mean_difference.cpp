#include "statistics/mean_difference.hpp"

#include <cmath>

namespace chimera::host::statistics {

mean_difference difference_of(double mean_a, spread a, double mean_b, spread b) {
    const double of_a = a.variance / a.n, of_b = b.variance / b.n, both = of_a + of_b;
    if (both == 0) return {mean_a - mean_b, 0, a.n + b.n - 2};
    const double share_a = of_a / both, share_b = of_b / both; // not their squares: these could be too small
    return {mean_a - mean_b, std::sqrt(both), 1 / (share_a * share_a / (a.n - 1) + share_b * share_b / (b.n - 1))};
}

mean_difference difference_of(double mean, spread s, double reference) {
    return {mean - reference, std::sqrt(s.variance / s.n), s.n - 1};
}

std::optional<mean_difference> difference_of(sample a, sample b) {
    if (a.size() < 2 || b.size() < 2) return std::nullopt;
    const moments in_a = moments_of(a), in_b = moments_of(b);
    return difference_of(in_a.mean, {in_a.n, in_a.variance()}, in_b.mean, {in_b.n, in_b.variance()});
}

std::optional<mean_difference> difference_of(sample values, double reference) {
    if (values.size() < 2) return std::nullopt;
    const moments m = moments_of(values);
    return difference_of(m.mean, {m.n, m.variance()}, reference);
}

} // namespace chimera::host::statistics
