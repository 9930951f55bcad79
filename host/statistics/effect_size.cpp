#include "statistics/effect_size.hpp"

#include "statistics/moments.hpp"

#include <boost/math/special_functions/gamma.hpp>

#include <cmath>

namespace chimera::host::statistics {

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

} // namespace chimera::host::statistics
