// A reactor around the one under test, which sees to it that whoever waits will be woken.
#pragma once

#include "chimera/sdk/reactor.hpp"
#include "watched_waker.hpp"

namespace chimera::conformance {

/// Passes every call on, and reports polls that answer 0 and keep no waker. Handles are those of the reactor inside.
class watched_reactor final : public chm_reactor {
  public:
    watched_reactor(chm_reactor* inner, ledger& to) noexcept
        : chm_reactor{&table_}, inner_(inner), ledger_(to), recv_(sdk::recv_ops_of(inner)) {
        table_.flags = inner->vt->flags;
    }
    watched_reactor(const watched_reactor&) = delete;
    watched_reactor& operator=(const watched_reactor&) = delete;

  private:
    static watched_reactor& self(chm_reactor* r) noexcept { return *static_cast<watched_reactor*>(r); }
    static chm_reactor* in(chm_reactor* r) noexcept { return self(r).inner_; }

    static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
        return in(r)->vt->io_register(in(r), fd, out);
    }
    static std::uint32_t io_poll(chm_reactor* r, chm_io* io, std::uint32_t interest, chm_waker* w) noexcept {
        const watched_waker mine(w);
        const std::uint32_t seen = in(r)->vt->io_poll(in(r), io, interest, mine.get());
        expect_a_wake(mine, seen == 0, "io_poll", self(r).ledger_);
        return seen;
    }
    static void io_clear(chm_reactor* r, chm_io* io, std::uint32_t seen, std::uint32_t bits,
                         std::uint32_t how) noexcept {
        in(r)->vt->io_clear(in(r), io, seen, bits, how);
    }
    static void io_deregister(chm_reactor* r, chm_io* io) noexcept { in(r)->vt->io_deregister(in(r), io); }
    static chm_rc timer_create(chm_reactor* r, chm_timer** out) noexcept { return in(r)->vt->timer_create(in(r), out); }
    static chm_rc timer_poll(chm_reactor* r, chm_timer* t, std::uint64_t deadline_ns, chm_waker* w) noexcept {
        const watched_waker mine(w);
        const chm_rc rc = in(r)->vt->timer_poll(in(r), t, deadline_ns, mine.get());
        expect_a_wake(mine, rc == CHM_PENDING, "timer_poll", self(r).ledger_);
        return rc;
    }
    static void timer_destroy(chm_reactor* r, chm_timer* t) noexcept { in(r)->vt->timer_destroy(in(r), t); }
    static const void* get_extension(chm_reactor* r, const char* id) noexcept {
        if (self(r).recv_ && std::string_view(id) == CHM_EXT_RECV) return &recv_table;
        return in(r)->vt->get_extension(in(r), id);
    }

    static chm_rc recv_start(chm_reactor* r, int fd, std::uint32_t flags, chm_recv** out) noexcept {
        return self(r).recv_->start(in(r), fd, flags, out);
    }
    static chm_rc recv_poll(chm_reactor* r, chm_recv* v, chm_waker* w, void* to, std::uint64_t capacity,
                            chm_received* out) noexcept {
        if (!w) return self(r).recv_->poll(in(r), v, w, to, capacity, out);
        const watched_waker mine(w);
        const chm_rc rc = self(r).recv_->poll(in(r), v, mine.get(), to, capacity, out);
        expect_a_wake(mine, rc == CHM_PENDING, "the poll of a receive", self(r).ledger_);
        return rc;
    }
    static void recv_close(chm_reactor* r, chm_recv* v) noexcept { self(r).recv_->close(in(r), v); }

    static constexpr chm_recv_ops recv_table{sizeof(chm_recv_ops), 0, recv_start, recv_poll, recv_close};

    chm_reactor* inner_;
    ledger& ledger_;
    const chm_recv_ops* recv_; // nullptr: it does not receive by completion
    chm_reactor_vt table_{sizeof(chm_reactor_vt), 0,          io_register,   io_poll,      io_clear, io_deregister,
                          timer_create,           timer_poll, timer_destroy, get_extension};
};

} // namespace chimera::conformance
