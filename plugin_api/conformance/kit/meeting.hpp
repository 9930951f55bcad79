// Two threads that are to meet at one point of what they do.
#pragma once

#include <algorithm>
#include <cstdint>

#include "chimera/sdk/clock.hpp"
#include "drawn.hpp"

namespace chimera::conformance {

/// How long to wait after setting another thread going, so that what this thread does then falls together with what
/// that one does. Learns from how it went, and spreads its guesses around what it has learnt: most of them are near,
/// and none is always the same. One thread.
class meeting {
  public:
    explicit meeting(random_source& from) noexcept : random_(from) {}

    /// A guess at when that will be, the other being set going now.
    std::uint64_t guess_ns() noexcept { return sdk::now_ns() + delay_ns_ * drawn(random_, 700, 1300) / 1000; }
    /// The other was there already, or was not.
    void was_late() noexcept { delay_ns_ = std::max<std::uint64_t>(delay_ns_ - delay_ns_ / 16, 100); }
    void was_early() noexcept { delay_ns_ = std::min<std::uint64_t>(delay_ns_ + delay_ns_ / 16, 3'000'000); }

  private:
    random_source& random_;
    std::uint64_t delay_ns_ = 3000;
};

} // namespace chimera::conformance
