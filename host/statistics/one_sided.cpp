#include "statistics/one_sided.hpp"

#include "statistics/equivalence.hpp"
#include "statistics/two_samples.hpp"

#include <algorithm>
#include <functional>

namespace chimera::host::statistics {

std::optional<double> p_above_by_ranks(sample a, sample b, double margin) {
    std::vector<double> shifted(a.begin(), a.end());
    for (double& value : shifted) value -= margin;
    const auto test = mann_whitney(shifted, b);
    if (!test) return std::nullopt;
    const double middle = static_cast<double>(a.size()) * static_cast<double>(b.size()) / 2;
    return test->u >= middle ? test->p / 2 : 1 - test->p / 2;
}

std::optional<double> p_within_by_ranks(sample a, sample b, double margin) {
    const auto not_below = p_above_by_ranks(a, b, -margin), not_above = p_above_by_ranks(b, a, -margin);
    return not_below && not_above ? std::optional(std::max(*not_below, *not_above)) : std::nullopt;
}

std::optional<double> p_below(sample values, double reference, double margin) {
    std::vector<double> mirrored(values.begin(), values.end());
    std::ranges::transform(mirrored, mirrored.begin(), std::negate());
    return p_above(mirrored, -reference, margin);
}

} // namespace chimera::host::statistics
