// An owning handle on an endpoint of a group (abi/coordinator.h), with awaitables for everything that it polls.
#pragma once

#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "../abi/coordinator.h"
#include "error.hpp"
#include "task.hpp"
#include "text.hpp"

namespace chimera::sdk {

/// One hub or member. Used and destroyed on its task's worker. What its polls return is valid until the next call.
class endpoint {
  public:
    /// Throws error when the coordinator refuses the arguments.
    endpoint(chm_coordinator* coordinator, const chm_endpoint_args& args) {
        error_buffer err;
        err.check(coordinator->vt->join(coordinator, &args, &raw_, err.abi()));
    }
    /// Moves: the other one is empty afterwards.
    endpoint(endpoint&& o) noexcept : raw_(std::exchange(o.raw_, nullptr)) {}
    /// Swaps the two.
    endpoint& operator=(endpoint&& o) noexcept {
        std::swap(raw_, o.raw_);
        return *this;
    }
    ~endpoint() {
        if (raw_) raw_->vt->close(raw_);
    }
    /// The raw endpoint, still owned here.
    chm_endpoint* get() const noexcept { return raw_; }

    /// A wait for one poll function. Poll: chm_rc(chm_waker*, Result&, chm_error*). To be awaited at once, from a
    /// variable. Throws error when the poll failed; no result: CHM_END.
    template <class Result, class Poll>
    class [[nodiscard]] waiting final : public awaitable {
      public:
        /// The function is called in each poll.
        explicit waiting(Poll poll) noexcept : poll_(std::move(poll)) {}
        bool poll(chm_waker* waker) override {
            error_buffer said; // not a member: a task that waits would keep it
            rc_ = poll_(waker, result_, said.abi());
            if (rc_ < 0) failure_ = said.exception(rc_);
            return rc_ != CHM_PENDING;
        }
        /// The result, or nothing at the end of the stream.
        std::optional<Result> await_resume() const {
            if (failure_) std::rethrow_exception(failure_);
            if (rc_ == CHM_END) return std::nullopt;
            return result_;
        }

      private:
        Poll poll_;
        Result result_{};
        chm_rc rc_ = CHM_PENDING;
        std::exception_ptr failure_;
    };

    /// Awaits entry into the group.
    auto ready() noexcept {
        return wait<bool>([raw = raw_](chm_waker* w, bool&, chm_error* e) { return raw->vt->poll_ready(raw, w, e); });
    }
    /// Awaits room for one message, and sends it. The result is its number.
    auto send(std::int32_t to, std::uint32_t channel, std::string_view body) noexcept {
        return wait<std::uint64_t>(
            [raw = raw_, to, channel, part = str(body)](chm_waker* w, std::uint64_t& seq, chm_error* e) {
                return raw->vt->poll_send(raw, w, to, channel, &part, 1, &seq, e);
            });
    }
    /// Awaits the next message; none: nobody can send one any more.
    auto receive() noexcept {
        return wait<chm_message>([raw = raw_](chm_waker* w, chm_message& m, chm_error* e) {
            m.size = sizeof m;
            return raw->vt->poll_receive(raw, w, &m, e);
        });
    }
    /// Awaits the next event; none: as receive().
    auto event() noexcept {
        return wait<chm_group_event>([raw = raw_](chm_waker* w, chm_group_event& m, chm_error* e) {
            m.size = sizeof m;
            return raw->vt->poll_event(raw, w, &m, e);
        });
    }
    /// Awaits the end of a proposal.
    auto decision(std::uint64_t proposal) noexcept {
        return wait<chm_decision>([raw = raw_, proposal](chm_waker* w, chm_decision& m, chm_error* e) {
            m.size = sizeof m;
            return raw->vt->poll_decision(raw, w, proposal, &m, e);
        });
    }
    /// Awaits all members. The name stays the caller's until then.
    auto barrier(std::string_view name) noexcept {
        return wait<bool>([raw = raw_, name = str(name)](chm_waker* w, bool&, chm_error* e) {
            return raw->vt->poll_barrier(raw, w, name, e);
        });
    }
    /// The proposal's number. Throws error.
    std::uint64_t propose(std::string_view action, std::string_view body) {
        std::uint64_t proposal = 0;
        error_buffer err;
        err.check(raw_->vt->propose(raw_, str(action), str(body), &proposal, err.abi()));
        return proposal;
    }
    /// False: it has ended, or this member has voted already. Throws error for everything else.
    bool vote(std::uint64_t proposal, bool yes) {
        error_buffer err;
        const chm_rc rc = raw_->vt->vote(raw_, proposal, yes ? 1 : 0, err.abi());
        if (rc != CHM_E_STATE) err.check(rc);
        return rc != CHM_E_STATE;
    }
    /// The hub's address. Only when ready.
    std::string_view address() noexcept { return view(raw_->vt->address(raw_)); }
    /// As far as this version of the struct goes.
    chm_endpoint_stats stats() noexcept {
        chm_endpoint_stats out{};
        out.size = sizeof out;
        raw_->vt->stats(raw_, &out);
        return out;
    }

  private:
    template <class Result, class Poll>
    static waiting<Result, Poll> wait(Poll poll) noexcept {
        return waiting<Result, Poll>(std::move(poll));
    }

    chm_endpoint* raw_ = nullptr;
};

} // namespace chimera::sdk
