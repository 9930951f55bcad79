#include "measure/distribution.hpp"

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

double quantile(const std::vector<double>& sorted, double p) {
    const double place = p * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

} // namespace

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
    d.p50 = quantile(sample, 0.50);
    d.p90 = quantile(sample, 0.90);
    d.p95 = quantile(sample, 0.95);
    d.p99 = quantile(sample, 0.99);
    return d;
}

} // namespace chimera::host
