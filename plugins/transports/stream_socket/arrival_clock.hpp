// The kernel's receive times, moved to the clock of all other timestamps.
#pragma once

#include <cstdint>

namespace chimera::stream_socket {

/// The kernel stamps in CLOCK_REALTIME. Both clocks are slewed alike, so their distance changes only when somebody sets
/// the time: it is measured with an exchange's first stamp, and again when that is more than a second ago. Looking at a
/// clock is no system call (vDSO).
class arrival_clock {
  public:
    /// For the next exchange.
    void begin() noexcept { measured_ns_ = latest_ns_ = 0; }
    /// When the kernel received what it has stamped (CLOCK_REALTIME ns), in CLOCK_MONOTONIC ns: not before
    /// not_before_ns, not before an earlier answer of this exchange, and not after now_ns. 0 where there is no stamp
    /// (0).
    std::uint64_t monotonic(std::uint64_t stamp_ns, std::uint64_t not_before_ns, std::uint64_t now_ns) noexcept;

  private:
    void measure() noexcept;

    std::int64_t distance_ns_ = 0; // CLOCK_REALTIME - CLOCK_MONOTONIC
    std::uint64_t measured_ns_ = 0;
    std::uint64_t latest_ns_ = 0;
};

} // namespace chimera::stream_socket
