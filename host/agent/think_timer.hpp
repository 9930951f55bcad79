// Pauses between an agent's calls, timed by the host: an executor may have no reactor, or be what is measured.
#pragma once

#include <chimera/sdk/task.hpp>
#include <chimera/sdk/waker.hpp>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace chimera::host {

/// Wakes tasks at moments of CLOCK_MONOTONIC, from one thread that the first pause starts and the destructor joins. Any
/// thread. Outlives its pauses.
class think_timer {
  public:
    think_timer() = default;
    think_timer(const think_timer&) = delete;
    think_timer& operator=(const think_timer&) = delete;
    ~think_timer();

    /// Over once the clock has reached its deadline, never earlier. Destroyed unfinished, it wakes nobody any more.
    class [[nodiscard]] pause final : public sdk::awaitable {
      public:
        pause(think_timer& timer, std::uint64_t deadline_ns) noexcept : timer_(timer), deadline_ns_(deadline_ns) {}
        pause(const pause&) = delete;
        pause& operator=(const pause&) = delete;
        ~pause() { timer_.forget({deadline_ns_, this}); }

        bool poll(chm_waker* waker) override;
        void await_resume() const noexcept {}

      private:
        think_timer& timer_;
        const std::uint64_t deadline_ns_;
    };
    /// `auto thinking = timer.until(deadline_ns); co_await thinking;`
    pause until(std::uint64_t deadline_ns) noexcept { return {*this, deadline_ns}; }

  private:
    using key = std::pair<std::uint64_t, const pause*>;

    void wait_for(key, sdk::waker);
    void forget(key) noexcept;
    void serve();

    std::mutex mutex_;
    std::condition_variable changed_; // another pause is the first to end, or closing_
    std::map<key, sdk::waker> waiting_;
    std::thread thread_;
    bool closing_ = false;
};

} // namespace chimera::host
