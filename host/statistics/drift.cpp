#include "statistics/drift.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>

namespace chimera::host::statistics {

std::optional<slope_result> slope_within(std::span<const std::vector<moment_value>> groups) {
    double xx = 0, xy = 0, yy = 0, n = 0, levels = 0;
    for (const std::vector<moment_value>& group : groups) {
        if (group.empty()) continue;
        std::vector<double> times, values;
        for (const moment_value& v : group) {
            times.push_back(v.at);
            values.push_back(v.value);
        }
        const moments of_times = moments_of(times), of_values = moments_of(values);
        for (const moment_value& v : group) xy += (v.at - of_times.mean) * (v.value - of_values.mean);
        xx += of_times.squares;
        yy += of_values.squares;
        n += of_values.n;
        ++levels;
    }
    const double df = n - levels - 1;
    if (xx == 0 || df < 2) return std::nullopt;
    if (yy == 0) return slope_result{0, {0, 0}, 0, df, 1};
    const double slope = xy / xx;
    const double error = std::sqrt(std::max(0.0, yy - slope * xy) / df / xx);
    if (error == 0) return slope_result{slope, {slope, slope}, 0, df, 0}; // every value is on a line
    const boost::math::students_t distribution(df);
    const double t = slope / error, half = boost::math::quantile(distribution, 0.975) * error;
    return slope_result{slope,
                        {slope - half, slope + half},
                        t,
                        df,
                        2 * boost::math::cdf(boost::math::complement(distribution, std::abs(t)))};
}

} // namespace chimera::host::statistics
