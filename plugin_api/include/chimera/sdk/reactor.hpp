// Owning handles on a reactor: a watched file descriptor and a timer, to poll by hand or to await, and a socket that
// the reactor reads ahead ("chimera.reactor.recv/1").
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "../abi/reactor.h"
#include "../abi/recv.h"
#include "clock.hpp"
#include "error.hpp"
#include "task.hpp"

namespace chimera::sdk {

/// The reactor of an executor, or nullptr when it has none.
template <class Executor>
chm_reactor* reactor_of(Executor* executor) noexcept {
    // The contract hands every extension out as const void *; a reactor is the one that is not constant.
    return static_cast<chm_reactor*>(const_cast<void*>(executor->vt->get_extension(executor, CHM_EXT_REACTOR)));
}

/// A registration of a file descriptor, which stays the caller's. Destroy it before close(fd). Thread rules are the
/// reactor's.
class io {
  public:
    io() noexcept = default;
    /// Throws error when the reactor refuses the descriptor.
    io(chm_reactor* reactor, int fd) : reactor_(reactor) {
        const chm_rc rc = reactor->vt->io_register(reactor, fd, &raw_);
        if (rc < 0) throw error(rc, "the reactor refused file descriptor " + std::to_string(fd));
    }
    /// Moves: the other one is empty afterwards.
    io(io&& o) noexcept : reactor_(o.reactor_), raw_(std::exchange(o.raw_, nullptr)) {}
    /// Swaps the two.
    io& operator=(io&& o) noexcept {
        std::swap(reactor_, o.reactor_);
        std::swap(raw_, o.raw_);
        return *this;
    }
    ~io() {
        if (raw_) reactor_->vt->io_deregister(reactor_, raw_);
    }
    /// True if there is one.
    explicit operator bool() const noexcept { return raw_ != nullptr; }

    /// 0: pending, waker will be woken. Otherwise readiness bits with a tick, for clear().
    std::uint32_t poll(std::uint32_t interest, chm_waker* waker) noexcept {
        return reactor_->vt->io_poll(reactor_, raw_, interest, waker);
    }
    /// The descriptor was read (written) until EAGAIN or until a short count.
    void drained(std::uint32_t seen, std::uint32_t bits) noexcept {
        reactor_->vt->io_clear(reactor_, raw_, seen, bits, CHM_IO_DRAINED);
    }
    /// It is not known whether the descriptor was drained.
    void recheck(std::uint32_t seen, std::uint32_t bits) noexcept {
        reactor_->vt->io_clear(reactor_, raw_, seen, bits, CHM_IO_RECHECK);
    }

    /// The result of ready(), to be awaited at once.
    class [[nodiscard]] readiness final : public awaitable {
      public:
        /// Borrows the registration.
        readiness(io& owner, std::uint32_t interest) noexcept : owner_(owner), interest_(interest) {}
        bool poll(chm_waker* waker) override { return (seen_ = owner_.poll(interest_, waker)) != 0; }
        /// Readiness bits with a tick, for drained() and recheck().
        std::uint32_t await_resume() const noexcept { return seen_; }

      private:
        io& owner_;
        std::uint32_t interest_;
        std::uint32_t seen_ = 0;
    };
    /// Awaits readiness: `seen = co_await file.ready(CHM_IO_READ)`.
    readiness ready(std::uint32_t interest) noexcept { return {*this, interest}; }

  private:
    chm_reactor* reactor_ = nullptr;
    chm_io* raw_ = nullptr;
};

/// A timer. Thread rules are the reactor's.
class timer {
  public:
    timer() noexcept = default;
    /// A timer that is not armed. Throws error when the reactor makes none.
    explicit timer(chm_reactor* reactor) : reactor_(reactor) {
        const chm_rc rc = reactor->vt->timer_create(reactor, &raw_);
        if (rc < 0) throw error(rc, "the reactor made no timer");
    }
    /// Moves: the other one is empty afterwards.
    timer(timer&& o) noexcept : reactor_(o.reactor_), raw_(std::exchange(o.raw_, nullptr)) {}
    /// Swaps the two.
    timer& operator=(timer&& o) noexcept {
        std::swap(reactor_, o.reactor_);
        std::swap(raw_, o.raw_);
        return *this;
    }
    ~timer() {
        if (raw_) reactor_->vt->timer_destroy(reactor_, raw_);
    }
    /// True if there is one.
    explicit operator bool() const noexcept { return raw_ != nullptr; }

    /// True once CLOCK_MONOTONIC has reached deadline_ns; otherwise waker will be woken then. Throws error when the
    /// reactor refuses (CHM_E_AFFINITY, CHM_E_NOMEM): nobody will be woken.
    bool poll(std::uint64_t deadline_ns, chm_waker* waker) { return over(ask(deadline_ns, waker)); }

    /// The result of at() and after(), to be awaited at once.
    class [[nodiscard]] expiry final : public awaitable {
      public:
        /// Borrows the timer.
        expiry(timer& owner, std::uint64_t deadline_ns) noexcept : owner_(owner), deadline_ns_(deadline_ns) {}
        bool poll(chm_waker* waker) override { return (rc_ = owner_.ask(deadline_ns_, waker)) != CHM_PENDING; }
        /// Throws error when the reactor refused.
        void await_resume() const { over(rc_); }

      private:
        timer& owner_;
        std::uint64_t deadline_ns_;
        chm_rc rc_ = CHM_PENDING;
    };
    /// Awaits a moment of CLOCK_MONOTONIC.
    expiry at(std::uint64_t deadline_ns) noexcept { return {*this, deadline_ns}; }
    /// Awaits a number of nanoseconds from now.
    expiry after(std::uint64_t ns) noexcept { return {*this, now_ns() + ns}; }

  private:
    chm_rc ask(std::uint64_t deadline_ns, chm_waker* waker) noexcept {
        return reactor_->vt->timer_poll(reactor_, raw_, deadline_ns, waker);
    }
    static bool over(chm_rc rc) {
        if (rc < 0) throw error(rc, "the reactor refused to arm a timer");
        return rc != CHM_PENDING;
    }

    chm_reactor* reactor_ = nullptr;
    chm_timer* raw_ = nullptr;
};

/// The extension of a reactor, or nullptr when it has none.
inline const chm_recv_ops* recv_ops_of(chm_reactor* reactor) noexcept {
    return static_cast<const chm_recv_ops*>(reactor->vt->get_extension(reactor, CHM_EXT_RECV));
}

/// A receive in progress on a socket, which stays the caller's. Destroy it before close(fd). Thread rules are the
/// reactor's.
class receiver {
  public:
    receiver() noexcept = default;
    /// flags: CHM_RECV_*. Throws error when the reactor refuses the descriptor.
    receiver(chm_reactor* reactor, const chm_recv_ops& ops, int fd, std::uint32_t flags)
        : reactor_(reactor), ops_(&ops) {
        const chm_rc rc = ops.start(reactor, fd, flags, &raw_);
        if (rc < 0) throw error(rc, "the reactor refused to receive from file descriptor " + std::to_string(fd));
    }
    /// Moves: the other one has no receive afterwards.
    receiver(receiver&& o) noexcept : reactor_(o.reactor_), ops_(o.ops_), raw_(std::exchange(o.raw_, nullptr)) {}
    /// Swaps the two.
    receiver& operator=(receiver&& o) noexcept {
        std::swap(reactor_, o.reactor_);
        std::swap(ops_, o.ops_);
        std::swap(raw_, o.raw_);
        return *this;
    }
    ~receiver() {
        if (raw_) ops_->close(reactor_, raw_);
    }
    /// Whether it has a receive.
    explicit operator bool() const noexcept { return raw_ != nullptr; }

    /// As chm_recv_ops.poll.
    chm_rc poll(chm_waker* waker, void* to, std::size_t capacity, chm_received& out) noexcept {
        out.size = sizeof out;
        return ops_->poll(reactor_, raw_, waker, to, capacity, &out);
    }
    /// True when there are bytes, an end or an error to poll for; otherwise waker, if there is one, will be woken.
    bool ready(chm_waker* waker) noexcept {
        chm_received none{};
        return poll(waker, nullptr, 0, none) != CHM_PENDING;
    }

  private:
    chm_reactor* reactor_ = nullptr;
    const chm_recv_ops* ops_ = nullptr;
    chm_recv* raw_ = nullptr;
};

} // namespace chimera::sdk
