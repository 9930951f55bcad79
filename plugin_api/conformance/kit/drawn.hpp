// What the random cases draw before they begin: plain data, so that the same seed always gives the same.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace chimera::conformance {

using random_source = std::mt19937_64;

/// A number in [low, high]. Not std::uniform_int_distribution, whose results differ between libraries.
inline unsigned drawn(random_source& from, unsigned low, unsigned high) {
    return low + static_cast<unsigned>(from() % (high - low + 1U));
}

/// What one task does in one poll.
enum class task_step : std::uint8_t {
    yield,      ///< wakes itself
    wake_twice, ///< wakes itself by a clone and by reference
    wait,       ///< leaves its waker where others find it
    wake_other, ///< wakes a task that waits
    spawn,      ///< spawns a short task, and wakes itself
    spin        ///< takes a while, and wakes itself
};
/// What one thread outside of the executor does next.
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

} // namespace chimera::conformance
