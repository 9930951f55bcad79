#pragma once

#include <cstdint>
#include <ctime>

namespace chimera::sim {

/// CLOCK_MONOTONIC in nanoseconds, the clock of every deadline and of `t_ns`.
inline std::int64_t monotonic_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Turns monotonic stamps into the wall-clock text of `created_at`. The distance between the two clocks is read again
/// once per second of wall time, and the text down to the second is kept, so that a record costs nine digits.
class wall_clock {
  public:
    /// Length of `2025-11-14T03:45:12.123456789Z`.
    static constexpr std::size_t text_size = 30;

    wall_clock();

    /// Writes exactly text_size characters.
    void format(std::int64_t monotonic, char* out);

    /// Seconds since 1970.
    std::int64_t unix_seconds(std::int64_t monotonic) const { return (monotonic + offset_) / 1'000'000'000; }

  private:
    void read_offset();

    std::int64_t offset_ = 0;
    std::int64_t second_ = -1;
    char text_[32] = {};
};

} // namespace chimera::sim
