// How much work a case does: less where a sanitizer makes everything ten times slower.
#pragma once

#include <dlfcn.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "expect.hpp"

namespace chimera::conformance {

/// The runtime of ThreadSanitizer, or of any sanitizer, is in this process: the kit was built with it, or it was
/// preloaded for a plugin that was.
#ifdef __SANITIZE_THREAD__
inline const bool under_tsan = true;
#else
inline const bool under_tsan = ::dlsym(RTLD_DEFAULT, "__tsan_init") != nullptr;
#endif
#ifdef __SANITIZE_ADDRESS__
inline const bool sanitized = true;
#else
inline const bool sanitized = under_tsan || ::dlsym(RTLD_DEFAULT, "__asan_init") != nullptr;
#endif

/// A number of repetitions.
inline unsigned scaled(unsigned n) noexcept { return sanitized ? (n + 9) / 10 : n; }

inline void sleep_ms(unsigned ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// Passes a few nanoseconds, so that threads meet at different points.
inline void spin(unsigned turns) noexcept {
    for (unsigned i = 0; i < turns; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Rounds of a stress: as many as asked for, or as there is time for, so that a plugin or a machine that is slow makes
/// fewer of them instead of running into the case's limit. At least one.
class rounds_in {
  public:
    rounds_in(std::chrono::milliseconds time, unsigned at_most) noexcept
        : end_(std::chrono::steady_clock::now() + (sanitized ? 4 * time : time)), left_(at_most) {}
    /// Whether there is another one.
    bool next() noexcept {
        if (left_ == 0 || (begun_ && std::chrono::steady_clock::now() > end_)) return false;
        begun_ = true;
        --left_;
        return true;
    }

  private:
    std::chrono::steady_clock::time_point end_;
    unsigned left_;
    bool begun_ = false;
};

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

/// Bytes in use on the heap (all arenas of the C library); 0 where a sanitizer replaces the allocator.
inline std::size_t heap_bytes() noexcept {
    if (sanitized) return 0;
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

} // namespace chimera::conformance
