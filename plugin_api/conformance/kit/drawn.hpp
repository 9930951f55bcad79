// The random choices of a case, drawn before it begins. They are plain data: the same seed gives the same choices.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "chimera/sdk/clock.hpp"

namespace chimera::conformance {

using random_source = std::mt19937_64;

/// A number in [low, high]. Not std::uniform_int_distribution, whose results differ between libraries.
inline unsigned drawn(random_source& from, unsigned low, unsigned high) {
    return low + static_cast<unsigned>(from() % (high - low + 1U));
}

/// The action of one task in one poll.
enum class task_step : std::uint8_t {
    yield,      ///< wakes itself
    wake_twice, ///< wakes itself by a clone and by reference
    wait,       ///< leaves its waker where others find it
    wake_other, ///< wakes a task that waits
    spawn,      ///< spawns a short task, and wakes itself
    spin        ///< takes a while, and wakes itself
};
/// The next action of a thread outside of the executor.
enum class thread_step : std::uint8_t { wake, wake_and_keep, spawn, spin, stop };

template <class Kind>
struct drawn_step {
    Kind kind;
    unsigned operand; ///< which task, or how long
    bool operator==(const drawn_step&) const = default;
};

struct schedule {
    std::vector<std::vector<drawn_step<task_step>>> tasks;
    std::vector<std::vector<drawn_step<thread_step>>> threads;
    bool operator==(const schedule&) const = default;
};

/// with_stop: one thread stops the executor at some point.
schedule draw_schedule(random_source&, bool with_stop);

/// A response, and how it comes over the wire.
struct drawn_response {
    std::string body, wire;
    struct fragment {
        std::size_t size; ///< bytes that are sent at once
        unsigned pause_us;
        bool operator==(const fragment&) const = default;
    };
    std::vector<fragment> fragments;
    bool operator==(const drawn_response&) const = default;
};

/// A body of letters, line ends and UTF-8 of two to four bytes, with a length or in chunks, cut anywhere.
drawn_response draw_response(random_source&);

/// Guesses how long to wait after another thread was started, so that the actions of both threads meet. It learns from
/// each try. Its guesses are spread around the learnt time: most are near, and they vary. One thread.
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
