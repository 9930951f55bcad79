#include "statistics/power.hpp"

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/tools/roots.hpp>

#include <cmath>
#include <cstdint>

namespace chimera::host::statistics {
namespace {

/// Of a true difference of so many standard errors.
double power_at(double errors, double df, double alpha) {
    const double beyond = boost::math::quantile(boost::math::complement(boost::math::students_t(df), alpha / 2));
    const boost::math::non_central_t distribution(df, errors);
    return boost::math::cdf(boost::math::complement(distribution, beyond)) + boost::math::cdf(distribution, -beyond);
}

double power_of(const mean_difference& p, double difference, double alpha) {
    if (p.error == 0) return difference == 0 ? alpha : 1;
    return power_at(std::abs(difference) / p.error, p.df, alpha);
}

std::optional<double> detectable_difference(const mean_difference& p, double alpha, double power) {
    if (p.error == 0) return 0;
    const auto lacking = [&](double errors) { return power_at(errors, p.df, alpha) - power; };
    constexpr double most = 1e6;
    double high = 4;
    while (lacking(high) < 0) {
        high *= 2;
        if (high > most) return std::nullopt;
    }
    std::uintmax_t steps = 200;
    const auto [low, up] =
        boost::math::tools::toms748_solve(lacking, 0.0, high, boost::math::tools::eps_tolerance<double>(), steps);
    return (low + up) / 2 * p.error;
}

} // namespace

double power_of(spread a, spread b, double difference, double alpha) {
    return power_of(difference_of(0, a, 0, b), difference, alpha);
}

double power_of(spread s, double difference, double alpha) {
    return power_of(difference_of(0, s, 0), difference, alpha);
}

std::optional<double> detectable_difference(spread a, spread b, double alpha, double power) {
    return detectable_difference(difference_of(0, a, 0, b), alpha, power);
}

std::optional<double> detectable_difference(spread s, double alpha, double power) {
    return detectable_difference(difference_of(0, s, 0), alpha, power);
}

} // namespace chimera::host::statistics
