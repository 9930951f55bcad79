// An owning handle on a socket that a reactor reads ahead ("chimera.reactor.recv/1").
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "../abi/recv.h"
#include "error.hpp"

namespace chimera::sdk {

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
    /// The other one is left without a receive.
    receiver(receiver&& o) noexcept : reactor_(o.reactor_), ops_(o.ops_), raw_(std::exchange(o.raw_, nullptr)) {}
    /// The other one takes what this one had.
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
