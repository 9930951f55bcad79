// The next piece of a body, or a limit on the wait for it.
#pragma once

#include "agent/think_timer.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/exchange.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chimera::host {

/// What an agent has taken without a wait: whoever takes a piece adds it, a wait begins anew. A wait inside a poll is
/// one too: a transport that blocks there, as a bridge may, keeps its worker, which is what is to be measured.
class piece_run {
  public:
    /// A piece that came `after_ns` after the one before was done with.
    void add(std::size_t bytes, std::uint64_t after_ns) noexcept {
        if (after_ns > a_wait_ns) taken_ = 0;
        taken_ += std::max(bytes, least_of_piece);
    }
    /// Others should run first.
    bool is_long() const noexcept { return taken_ >= most; }
    void begin() noexcept { taken_ = 0; }

  private:
    static constexpr std::uint64_t a_wait_ns = 500'000; // a receive of what is there takes some microseconds
    static constexpr std::size_t least_of_piece = 512, most = 65'536; // about a millisecond of small records
    std::size_t taken_ = 0;
};

/// `timed_chunk arriving(x, timer, deadline_ns, run); co_await arriving;` gives what sdk::exchange::chunk gives, or
/// nothing once the deadline has passed without a piece. It looks for bytes before it looks at the clock, so a worker
/// that comes late does not make the server late. Without a deadline (0) it costs nothing beside sdk::exchange::chunk,
/// and touches no timer.
///
/// Where `run` is long it lets others run first: a server that is quicker than the reader would
/// otherwise keep the task in one poll, and with it the worker, the other agents and the end of the run.
class [[nodiscard]] timed_chunk final : public sdk::awaitable {
  public:
    /// Borrows all of them for its life.
    timed_chunk(sdk::exchange& x, think_timer& timer, std::uint64_t deadline_ns, piece_run& run) noexcept
        : chunk_(x.chunk()), timer_(timer), deadline_ns_(deadline_ns), run_(run) {}

    bool poll(chm_waker* waker) override {
        if (run_.is_long()) {
            run_.begin();
            waker->vt->wake_by_ref(waker);
            return false;
        }
        if (chunk_.poll(waker)) return true;
        run_.begin();
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
    piece_run& run_;
    std::optional<think_timer::pause> pause_;
    bool timed_out_ = false;
};

} // namespace chimera::host
