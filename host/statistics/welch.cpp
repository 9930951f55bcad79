#include "statistics/welch.hpp"

#include "statistics/moments.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <cmath>

namespace chimera::host::statistics {

std::optional<welch_result> welch(sample a, sample b) {
    if (a.size() < 2 || b.size() < 2) return std::nullopt;
    const moments in_a = moments_of(a), in_b = moments_of(b);
    const double difference = in_a.mean - in_b.mean;
    const double error_a = in_a.variance() / in_a.n, error_b = in_b.variance() / in_b.n, error = error_a + error_b;
    if (error == 0) {
        if (difference != 0) return std::nullopt;
        return welch_result{0, {0, 0}, 0, in_a.n + in_b.n - 2, 1};
    }
    const double share_a = error_a / error, share_b = error_b / error;
    const double df = 1 / (share_a * share_a / (in_a.n - 1) + share_b * share_b / (in_b.n - 1));
    const double t = difference / std::sqrt(error);
    const boost::math::students_t distribution(df);
    const double half = boost::math::quantile(distribution, 0.975) * std::sqrt(error);
    const double p = 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(t)));
    return welch_result{difference, {difference - half, difference + half}, t, df, p};
}

} // namespace chimera::host::statistics
