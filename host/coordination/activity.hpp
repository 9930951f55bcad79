// Waiting for whatever an endpoint has next: a message, an event, the end of a proposal, a barrier, or a moment.
#pragma once

#include "agent/agent_waits.hpp"

#include <chimera/sdk/endpoint.hpp>
#include <chimera/sdk/task.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>

namespace chimera::host {

enum class happening { message, event, decision, barrier, due, ended };

/// What a task waits for. Messages and events are always waited for.
struct wanted {
    std::uint64_t proposal = 0;          ///< not 0: also for its end
    std::string_view barrier{};          ///< not empty: also for this barrier; borrowed until then
    std::uint64_t until_ns = UINT64_MAX; ///< also for this moment of CLOCK_MONOTONIC
};

/// To be awaited from a variable. The result's views are valid until the next call on the endpoint. Throws sdk::error
/// when the endpoint failed.
class [[nodiscard]] activity final : public sdk::awaitable {
  public:
    activity(sdk::endpoint& of, think_timer& timer, wanted what) : raw_(of.get()), what_(what) {
        if (what.until_ns != UINT64_MAX) pause_.emplace(timer, what.until_ns);
    }
    bool poll(chm_waker* waker) override;
    happening await_resume() const {
        if (failure_) std::rethrow_exception(failure_);
        return happened_;
    }
    chm_message message{};
    chm_group_event event{};
    chm_decision decision{};

  private:
    chm_endpoint* raw_;
    const wanted what_;
    std::optional<think_timer::pause> pause_;
    happening happened_ = happening::ended;
    std::exception_ptr failure_;
};

} // namespace chimera::host
