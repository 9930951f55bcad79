#include "server_stats.hpp"

#include <algorithm>

namespace chimera::sim {

std::uint64_t duration_histogram::quantile_ns(double share) const {
    if (count_ == 0) {
        return 0;
    }
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < bucket_count; ++index) {
        seen += buckets_[index];
        if (seen <= wanted && seen != count_) {
            continue;
        }
        const auto octave = index >> sub_bits;
        const auto within = index & ((1U << sub_bits) - 1);
        const std::uint64_t end =
            octave == 0 ? within + 1 : ((std::uint64_t{1} << sub_bits) + within + 1) << (octave - 1);
        return std::min(end, max_);
    }
    return max_;
}

} // namespace chimera::sim
