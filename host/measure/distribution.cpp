#include "measure/distribution.hpp"

#include "statistics/quantile.hpp"

#include <algorithm>
#include <cmath>

namespace chimera::host {

distribution describe(std::vector<double> sample) {
    distribution d;
    d.n = sample.size();
    if (sample.empty()) return d;
    std::ranges::sort(sample);
    double sum = 0;
    for (const double x : sample) sum += x;
    d.mean = sum / static_cast<double>(d.n);
    if (d.n > 1) {
        double squares = 0;
        for (const double x : sample) squares += (x - d.mean) * (x - d.mean);
        d.std = std::sqrt(squares / static_cast<double>(d.n - 1));
    }
    d.min = sample.front();
    d.max = sample.back();
    d.p50 = statistics::quantile(sample, 0.50);
    d.p90 = statistics::quantile(sample, 0.90);
    d.p95 = statistics::quantile(sample, 0.95);
    d.p99 = statistics::quantile(sample, 0.99);
    return d;
}

} // namespace chimera::host
