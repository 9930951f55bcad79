#include "shared_reactor.hpp"

#include <memory>
#include <new>

namespace chimera::fiber {

const chm_reactor_vt shared_reactor::vtable{
    sizeof(chm_reactor_vt), CHM_REACTOR_ANY_THREAD, io_register, io_poll,       io_clear,
    io_deregister,          timer_create,           timer_poll,  timer_destroy, get_extension};

sdk::epoll_reactor& shared_reactor::nearest(chm_reactor* r) noexcept {
    const fiber_scheduler& scheduler = static_cast<shared_reactor*>(r)->scheduler_;
    worker* const w = scheduler.here();
    return (w ? *w : scheduler.at(0)).reactor;
}

chm_rc shared_reactor::io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
    std::unique_ptr<io_entry> e(new (std::nothrow) io_entry{&nearest(r), nullptr});
    if (!e) return CHM_E_NOMEM;
    const chm_rc rc = e->owner->vt->io_register(e->owner, fd, &e->raw);
    if (rc == CHM_OK) *out = reinterpret_cast<chm_io*>(e.release());
    return rc;
}

std::uint32_t shared_reactor::io_poll(chm_reactor*, chm_io* io, std::uint32_t interest, chm_waker* waker) noexcept {
    const io_entry& e = entry(io);
    return e.owner->vt->io_poll(e.owner, e.raw, interest, waker);
}

void shared_reactor::io_clear(chm_reactor*, chm_io* io, std::uint32_t seen, std::uint32_t bits,
                              std::uint32_t how) noexcept {
    const io_entry& e = entry(io);
    e.owner->vt->io_clear(e.owner, e.raw, seen, bits, how);
}

void shared_reactor::io_deregister(chm_reactor*, chm_io* io) noexcept {
    const std::unique_ptr<io_entry> e(&entry(io));
    e->owner->vt->io_deregister(e->owner, e->raw);
}

chm_rc shared_reactor::timer_create(chm_reactor* r, chm_timer** out) noexcept {
    std::unique_ptr<timer_entry> e(new (std::nothrow) timer_entry{&nearest(r), nullptr});
    if (!e) return CHM_E_NOMEM;
    const chm_rc rc = e->owner->vt->timer_create(e->owner, &e->raw);
    if (rc == CHM_OK) *out = reinterpret_cast<chm_timer*>(e.release());
    return rc;
}

chm_rc shared_reactor::timer_poll(chm_reactor*, chm_timer* timer, std::uint64_t deadline_ns,
                                  chm_waker* waker) noexcept {
    const timer_entry& e = entry(timer);
    return e.owner->vt->timer_poll(e.owner, e.raw, deadline_ns, waker);
}

void shared_reactor::timer_destroy(chm_reactor*, chm_timer* timer) noexcept {
    const std::unique_ptr<timer_entry> e(&entry(timer));
    e->owner->vt->timer_destroy(e->owner, e->raw);
}

const void* shared_reactor::get_extension(chm_reactor*, const char*) noexcept { return nullptr; }

} // namespace chimera::fiber
