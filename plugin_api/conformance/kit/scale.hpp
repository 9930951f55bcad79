// How much work a case does: less where a sanitizer makes everything ten times slower.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "expect.hpp"

namespace chimera::conformance {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// A number of repetitions.
constexpr unsigned scaled(unsigned n) noexcept { return sanitized ? (n + 9) / 10 : n; }

inline void sleep_ms(unsigned ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// Passes a few nanoseconds, so that threads meet at different points.
inline void spin(unsigned turns) noexcept {
    for (unsigned i = 0; i < turns; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Waits until condition() holds; throws failure after ten seconds (a hundred under a sanitizer).
template <class Condition>
void wait_until(Condition condition, std::string_view what, std::source_location at = std::source_location::current()) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(sanitized ? 100 : 10);
    for (unsigned turn = 0; !condition(); ++turn) {
        if (std::chrono::steady_clock::now() > limit)
            expect(false, std::string("waited in vain: ") + std::string(what), at);
        if (turn < 100)
            std::this_thread::yield();
        else
            sleep_ms(1);
    }
}

} // namespace chimera::conformance
