#include "statistics/moments.hpp"

namespace chimera::host::statistics {

moments moments_of(sample x) {
    moments m;
    if (x.empty()) return m;
    m.n = static_cast<double>(x.size());
    double sum = 0; // of distances from the first value, so that equal values leave no rounding behind
    for (const double value : x) sum += value - x.front();
    m.mean = x.front() + sum / m.n;
    for (const double value : x) m.squares += (value - m.mean) * (value - m.mean);
    return m;
}

} // namespace chimera::host::statistics
