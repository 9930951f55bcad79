// Owning handles on a transport's sessions and exchanges, with awaitables for head and body.
#pragma once

#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "../abi/timing.h"
#include "../abi/transport.h"
#include "error.hpp"
#include "task.hpp"
#include "text.hpp"

namespace chimera::sdk {

/// One request and its response. Used and destroyed on its task's worker; destroyed unfinished, it is cancelled.
class exchange {
  public:
    /// Takes over an exchange that was started.
    explicit exchange(chm_exchange* owned) noexcept : raw_(owned) {}
    /// Moves: the other one is empty afterwards.
    exchange(exchange&& o) noexcept : raw_(std::exchange(o.raw_, nullptr)) {}
    /// Swaps the two.
    exchange& operator=(exchange&& o) noexcept {
        std::swap(raw_, o.raw_);
        return *this;
    }
    ~exchange() {
        if (raw_) raw_->vt->close(raw_);
    }
    /// The raw exchange, still owned here; for extensions of its transport.
    const chm_exchange* get() const noexcept { return raw_; }

    /// The result of head(), to be awaited at once.
    class [[nodiscard]] head_awaitable final : public awaitable {
      public:
        /// Borrows the exchange.
        explicit head_awaitable(chm_exchange* raw) noexcept : raw_(raw) { head_.size = sizeof head_; }
        bool poll(chm_waker* waker) override {
            error_buffer said; // not a member: an agent that waits would keep it
            rc_ = raw_->vt->poll_head(raw_, waker, &head_, said.abi());
            if (rc_ < 0) failure_ = said.exception(rc_);
            return rc_ != CHM_PENDING;
        }
        /// Throws error when the exchange failed. The headers are valid until the next call on the exchange.
        chm_head await_resume() const {
            if (failure_) std::rethrow_exception(failure_);
            return head_;
        }

      private:
        chm_exchange* raw_;
        chm_head head_{};
        chm_rc rc_ = CHM_PENDING;
        std::exception_ptr failure_;
    };
    /// Awaits the final head of the response.
    head_awaitable head() noexcept { return head_awaitable(raw_); }

    /// The result of chunk(), to be awaited at once.
    class [[nodiscard]] chunk_awaitable final : public awaitable {
      public:
        /// Borrows the exchange.
        explicit chunk_awaitable(chm_exchange* raw) noexcept : raw_(raw) {}
        bool poll(chm_waker* waker) override {
            error_buffer said; // not a member: an agent that waits would keep it
            rc_ = raw_->vt->poll_chunk(raw_, waker, &view_, said.abi());
            if (rc_ < 0) failure_ = said.exception(rc_);
            return rc_ != CHM_PENDING;
        }
        /// The next piece of the body, valid until the next call on the exchange; nullopt at its end. Throws error when
        /// the exchange failed.
        std::optional<std::string_view> await_resume() const {
            if (failure_) std::rethrow_exception(failure_);
            if (rc_ == CHM_END) return std::nullopt;
            return view(view_);
        }

      private:
        chm_exchange* raw_;
        chm_str view_{};
        chm_rc rc_ = CHM_PENDING;
        std::exception_ptr failure_;
    };
    /// Awaits the next piece of the body.
    chunk_awaitable chunk() noexcept { return chunk_awaitable(raw_); }

  private:
    chm_exchange* raw_;
};

/// A session: the owner or user of a keep-alive connection. Used and destroyed on its task's worker, after its
/// exchange.
class session {
  public:
    /// Throws error when the transport refuses the URL or the reactor.
    session(chm_transport* transport, const chm_session_args& args) {
        error_buffer err;
        err.check(transport->vt->open(transport, &args, &raw_, err.abi()));
    }
    /// Moves: the other one is empty afterwards.
    session(session&& o) noexcept : raw_(std::exchange(o.raw_, nullptr)) {}
    /// Swaps the two.
    session& operator=(session&& o) noexcept {
        std::swap(raw_, o.raw_);
        return *this;
    }
    ~session() {
        if (raw_) raw_->vt->close(raw_);
    }

    /// Begins a request. Throws error.
    exchange start(const chm_request& request) {
        chm_exchange* raw = nullptr;
        error_buffer err;
        err.check(raw_->vt->start(raw_, &request, &raw, err.abi()));
        return exchange(raw);
    }

  private:
    chm_session* raw_ = nullptr;
};

} // namespace chimera::sdk
