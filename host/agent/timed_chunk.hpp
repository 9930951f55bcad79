// The next piece of a body, or a limit on the wait for it.
#pragma once

#include "agent/think_timer.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/exchange.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace chimera::host {

/// `timed_chunk arriving(x, timer, deadline_ns); co_await arriving;` gives what sdk::exchange::chunk gives, or nothing
/// once the deadline has passed without a piece. It looks for bytes before it looks at the clock, so a worker that
/// comes late does not make the server late. Without a deadline (0) it costs nothing beside sdk::exchange::chunk, and
/// touches no timer.
class [[nodiscard]] timed_chunk final : public sdk::awaitable {
  public:
    /// Borrows both for its life.
    timed_chunk(sdk::exchange& x, think_timer& timer, std::uint64_t deadline_ns) noexcept
        : chunk_(x.chunk()), timer_(timer), deadline_ns_(deadline_ns) {}

    bool poll(chm_waker* waker) override {
        if (chunk_.poll(waker)) return true;
        if (deadline_ns_ == 0) return false;
        if (!pause_) pause_.emplace(timer_, deadline_ns_);
        return timed_out_ = pause_->poll(waker);
    }
    std::optional<std::string_view> await_resume() const { return timed_out_ ? std::nullopt : chunk_.await_resume(); }
    /// The deadline has passed, and nothing came.
    bool timed_out() const noexcept { return timed_out_; }

  private:
    sdk::exchange::chunk_awaitable chunk_;
    think_timer& timer_;
    const std::uint64_t deadline_ns_;
    std::optional<think_timer::pause> pause_;
    bool timed_out_ = false;
};

} // namespace chimera::host
