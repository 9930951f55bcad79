// For authors of executors: keeps callers out of something that is being taken down.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace chimera::sdk {

/// Any number of threads pass at a time until it is closed. Whoever takes the thing down closes it, waits until the
/// last one is out, and knows that nobody comes in again.
class gate {
  public:
    /// [any thread] False when it is closed. Otherwise leave() must follow, soon.
    bool enter() noexcept {
        if ((state_.fetch_add(one, std::memory_order_acq_rel) & closed) == 0) return true;
        leave();
        return false;
    }
    /// [whoever entered] The way out.
    void leave() noexcept { state_.fetch_sub(one, std::memory_order_release); }

    /// [any thread] Does not wait.
    void close() noexcept { state_.fetch_or(closed, std::memory_order_acq_rel); }
    /// [any thread that is not inside] Returns when nobody is inside. Those who still enter find it closed.
    void wait_until_empty() const noexcept {
        while (state_.load(std::memory_order_acquire) >= one) std::this_thread::yield();
    }

  private:
    static constexpr std::uint32_t closed = 1, one = 2;
    std::atomic<std::uint32_t> state_{0};
};

} // namespace chimera::sdk
