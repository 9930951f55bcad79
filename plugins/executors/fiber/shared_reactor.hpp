// One reactor in front of the workers' own.
#pragma once

#include <chimera/sdk/epoll_reactor.hpp>

#include "fiber_scheduler.hpp"

namespace chimera::fiber {

/// What is registered on a worker's thread is watched by that worker's reactor, what is registered elsewhere by the
/// first worker's; ios and timers remember whose they are, so that every function may be called from any thread. Its
/// wakes reach the task on whichever worker it lives.
class shared_reactor final : public chm_reactor {
  public:
    /// The scheduler must have its workers as long as this is used.
    explicit shared_reactor(fiber_scheduler& scheduler) noexcept : chm_reactor{&vtable}, scheduler_(scheduler) {}

  private:
    struct io_entry {
        sdk::epoll_reactor* owner;
        chm_io* raw;
    };
    struct timer_entry {
        sdk::epoll_reactor* owner;
        chm_timer* raw;
    };
    static io_entry& entry(chm_io* io) noexcept { return *reinterpret_cast<io_entry*>(io); }
    static timer_entry& entry(chm_timer* timer) noexcept { return *reinterpret_cast<timer_entry*>(timer); }
    static sdk::epoll_reactor& nearest(chm_reactor* r) noexcept;

    static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) noexcept;
    static std::uint32_t io_poll(chm_reactor* r, chm_io* io, std::uint32_t interest, chm_waker* waker) noexcept;
    static void io_clear(chm_reactor* r, chm_io* io, std::uint32_t seen, std::uint32_t bits,
                         std::uint32_t how) noexcept;
    static void io_deregister(chm_reactor* r, chm_io* io) noexcept;
    static chm_rc timer_create(chm_reactor* r, chm_timer** out) noexcept;
    static chm_rc timer_poll(chm_reactor* r, chm_timer* timer, std::uint64_t deadline_ns, chm_waker* waker) noexcept;
    static void timer_destroy(chm_reactor* r, chm_timer* timer) noexcept;
    static const void* get_extension(chm_reactor* r, const char* id) noexcept;

    static const chm_reactor_vt vtable;
    fiber_scheduler& scheduler_;
};

} // namespace chimera::fiber
