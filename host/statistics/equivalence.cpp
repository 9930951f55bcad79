#include "statistics/equivalence.hpp"

#include "statistics/mean_difference.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>

namespace chimera::host::statistics {
namespace {

double p_above(const mean_difference& e, double margin) {
    const double above = e.difference - margin;
    if (e.error == 0) return above > 0 ? 0 : 1;
    return boost::math::cdf(boost::math::complement(boost::math::students_t(e.df), above / e.error));
}

equivalence_result equivalence(const mean_difference& e, double margin) {
    const mean_difference mirrored{-e.difference, e.error, e.df};
    const double p = std::max(p_above(e, -margin), p_above(mirrored, -margin));
    const double half = e.error == 0 ? 0 : boost::math::quantile(boost::math::students_t(e.df), 0.95) * e.error;
    return {e.difference, p, {e.difference - half, e.difference + half}};
}

} // namespace

std::optional<one_sample_result> one_sample(sample values, double reference) {
    const auto e = difference_of(values, reference);
    if (!e) return std::nullopt;
    if (e->error == 0) {
        if (e->difference != 0) return std::nullopt;
        return one_sample_result{0, {0, 0}, 0, e->df, 1};
    }
    const boost::math::students_t distribution(e->df);
    const double t = e->difference / e->error, half = boost::math::quantile(distribution, 0.975) * e->error;
    const double p = 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(t)));
    return one_sample_result{e->difference, {e->difference - half, e->difference + half}, t, e->df, p};
}

std::optional<double> p_above(sample a, sample b, double margin) {
    const auto e = difference_of(a, b);
    return e ? std::optional(p_above(*e, margin)) : std::nullopt;
}

std::optional<double> p_above(sample values, double reference, double margin) {
    const auto e = difference_of(values, reference);
    return e ? std::optional(p_above(*e, margin)) : std::nullopt;
}

std::optional<equivalence_result> equivalence(sample a, sample b, double margin) {
    const auto e = difference_of(a, b);
    return e ? std::optional(equivalence(*e, margin)) : std::nullopt;
}

std::optional<equivalence_result> equivalence(sample values, double reference, double margin) {
    const auto e = difference_of(values, reference);
    return e ? std::optional(equivalence(*e, margin)) : std::nullopt;
}

} // namespace chimera::host::statistics
