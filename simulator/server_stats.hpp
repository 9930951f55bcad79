#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>

namespace chimera::sim {

/// Durations from 1 ns to hours in buckets no wider than 1/16 of their value. No allocation, a few instructions to add.
class duration_histogram {
  public:
    void add(std::int64_t ns) {
        const auto value = static_cast<std::uint64_t>(ns < 0 ? 0 : ns);
        ++buckets_[bucket_of(value)];
        ++count_;
        if (value > max_) {
            max_ = value;
        }
    }

    std::uint64_t count() const { return count_; }
    std::uint64_t max_ns() const { return max_; }

    /// Upper end of the bucket in which the given share (0..1) of all values is reached; 0 when empty.
    std::uint64_t quantile_ns(double share) const {
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

  private:
    static constexpr unsigned sub_bits = 4;
    static constexpr std::size_t bucket_count = (48 - sub_bits + 1) << sub_bits;

    static std::size_t bucket_of(std::uint64_t value) {
        if (value < (1U << sub_bits)) {
            return static_cast<std::size_t>(value);
        }
        const auto exponent = static_cast<unsigned>(std::bit_width(value)) - 1;
        const auto index = (static_cast<std::size_t>(exponent - sub_bits + 1) << sub_bits) +
                           static_cast<std::size_t>((value >> (exponent - sub_bits)) & ((1U << sub_bits) - 1));
        return index < bucket_count ? index : bucket_count - 1;
    }

    std::array<std::uint64_t, bucket_count> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

/// The server's own counters. They show whether the server itself was the bottleneck of a measurement.
struct server_stats {
    std::uint64_t connections_accepted = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t requests = 0;
    std::uint64_t replies_completed = 0;
    std::uint64_t replies_cancelled = 0;
    std::uint64_t faults = 0;
    std::uint64_t tokens_sent = 0;
    std::uint64_t tokens_held_back = 0; ///< due while the client was not reading; not in `lateness`
    std::uint64_t send_errors = 0;
    duration_histogram lateness; ///< send - deadline of every paced token
};

} // namespace chimera::sim
