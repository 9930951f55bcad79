#include "statistics/description.hpp"

#include "statistics/moments.hpp"
#include "statistics/quantile.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>

namespace chimera::host::statistics {

description describe(sample x) {
    description d;
    if (x.empty()) return d;
    const moments m = moments_of(x);
    d.n = x.size();
    d.mean = m.mean;
    if (d.n >= 2) {
        d.sd = std::sqrt(m.variance());
        const boost::math::students_t t(m.n - 1);
        const double half = boost::math::quantile(t, 0.975) * d.sd / std::sqrt(m.n);
        d.ci95 = interval{d.mean - half, d.mean + half};
    }
    if (d.mean != 0) d.cv_pct = d.sd / std::abs(d.mean) * 100;

    std::vector<double> sorted(x.begin(), x.end());
    std::ranges::sort(sorted);
    d.min = sorted.front();
    d.max = sorted.back();
    d.median = quantile(sorted, 0.5);
    const double q1 = quantile(sorted, 0.25), q3 = quantile(sorted, 0.75);
    const double low = q1 - 1.5 * (q3 - q1), high = q3 + 1.5 * (q3 - q1);
    for (std::size_t i = 0; i < x.size(); ++i)
        if (x[i] < low || x[i] > high) d.outliers.push_back(i);
    return d;
}

} // namespace chimera::host::statistics
