// Descriptors and timers on a libuv loop.
#include <new>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"
#include "chimera/sdk/waker.hpp"
#include "worker.hpp"

namespace chimera::uv_pinned {

namespace {

constexpr std::uint32_t both = CHM_IO_READ | CHM_IO_WRITE;
constexpr std::uint32_t tick = 0x100;

/// A watched descriptor. uv_poll is level-triggered, and each change of the watched bits costs two epoll_ctl. So the
/// watch stays as it is while reported bits are consumed before the next turn, as they are in a steady stream. A bit
/// that is reported a second time before it was consumed leaves the watch, since the wait would become a spin. It
/// returns when a task waits for it. The peer's end stays in the watch, with or without other bits, until it was
/// reported twice.
struct io_entry {
    uv_poll_t handle{};
    worker* home;
    int fd;
    std::uint32_t readiness = 0; // bits in the low 8, a tick of the reports above
    std::uint32_t watched = 0;   // CHM_IO_READ, _WRITE and _HUP as libuv has it
    std::uint32_t interest = 0;  // of the waiter; CHM_IO_HUP is always in it
    sdk::waker waiter;

    io_entry(worker* w, int f) noexcept : home(w), fd(f) {}

    void watch(std::uint32_t bits) noexcept {
        if (bits == watched) return;
        watched = bits;
        if (bits == 0) {
            uv_poll_stop(&handle);
            return;
        }
        const int events = (bits & CHM_IO_HUP ? UV_DISCONNECT : 0) | (bits & CHM_IO_READ ? UV_READABLE : 0) |
                           (bits & CHM_IO_WRITE ? UV_WRITABLE : 0);
        uv_poll_start(&handle, events, [](uv_poll_t* h, int status, int reported) {
            static_cast<io_entry*>(h->data)->report(status, reported);
        });
    }

    void report(int status, int events) noexcept {
        std::uint32_t bits = 0;
        if (status < 0) { // EPOLLERR: libuv has stopped watching, and the next recv or send tells why
            bits = both | CHM_IO_ERR;
            watched = 0;
        }
        if (events & (UV_READABLE | UV_DISCONNECT)) bits |= CHM_IO_READ;
        if (events & UV_WRITABLE) bits |= CHM_IO_WRITE;
        if (events & UV_DISCONNECT) bits |= CHM_IO_HUP;
        const std::uint32_t unconsumed = readiness & bits;
        readiness = (readiness + tick) | bits;
        // HUP is never forgotten: after its second report there is nothing left to be learnt about this descriptor.
        watch(unconsumed & CHM_IO_HUP ? 0 : watched & ~unconsumed);
        if (bits & (interest | CHM_IO_ERR | CHM_IO_HUP)) waiter.wake();
    }

    std::uint32_t ready(std::uint32_t bits) const noexcept {
        return readiness & (bits | CHM_IO_ERR | CHM_IO_HUP) ? readiness : 0;
    }
};

/// uv_timer counts whole milliseconds of the loop's cached time, which is CLOCK_MONOTONIC cut down.
struct timer_entry {
    uv_timer_t handle{};
    worker* home;
    std::uint64_t deadline_ns = 0; // 0: not armed
    sdk::waker waiter;

    explicit timer_entry(worker* w) noexcept : home(w) {}

    /// Due in the first millisecond that begins at or after the deadline. Counted from the cached time, as libuv itself
    /// does: so the sum is exact however old that time is, and the timer is never early.
    void arm(std::uint64_t deadline) noexcept {
        constexpr std::uint64_t ns_per_ms = 1'000'000;
        deadline_ns = deadline;
        const std::uint64_t due_ms = deadline / ns_per_ms + (deadline % ns_per_ms != 0);
        const std::uint64_t now_ms = uv_now(handle.loop);
        const auto on_due = [](uv_timer_t* h) { static_cast<timer_entry*>(h->data)->fire(); };
        uv_timer_start(&handle, on_due, due_ms > now_ms ? due_ms - now_ms : 0, 0);
    }
    void disarm() noexcept {
        if (deadline_ns != 0) uv_timer_stop(&handle);
        deadline_ns = 0;
        waiter = {};
    }
    void fire() noexcept {
        if (sdk::now_ns() < deadline_ns) return arm(deadline_ns); // a task that is woken early would not be woken again
        deadline_ns = 0;
        waiter.wake();
    }
};

template <class Entry>
void free_entry(uv_handle_t* h) noexcept {
    delete static_cast<Entry*>(h->data);
}
/// Ends a handle; its memory goes when the loop lets go of it, at the end of its turn.
template <class Entry>
void close_entry(Entry& e) noexcept {
    e.waiter = {};
    void* h = &e.handle;
    uv_close(static_cast<uv_handle_t*>(h), free_entry<Entry>);
}

io_entry& entry(chm_io* io) noexcept { return *reinterpret_cast<io_entry*>(io); }
timer_entry& entry(chm_timer* t) noexcept { return *reinterpret_cast<timer_entry*>(t); }
template <class Entry>
bool elsewhere(const Entry& e) noexcept {
    return e.home != worker::current();
}

} // namespace

void close_leaked(uv_handle_t* handle) noexcept {
    if (handle->type == UV_POLL) close_entry(*static_cast<io_entry*>(handle->data));
    if (handle->type == UV_TIMER) close_entry(*static_cast<timer_entry*>(handle->data));
}

struct reactor_functions {
    /// The calling worker, if it is one of this reactor's executor.
    static worker* here(chm_reactor* r) noexcept {
        worker* w = worker::current();
        return w && &w->life() == static_cast<reactor*>(r)->life_ ? w : nullptr;
    }

    static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
        worker* home = here(r);
        if (!home) return CHM_E_AFFINITY;
        return sdk::guarded(nullptr, [&]() -> chm_rc {
            // Asked before libuv is: its own check of a descriptor would end the watch of an earlier registration.
            if (!home->registered().insert(fd).second) return CHM_E_STATE;
            auto* e = new (std::nothrow) io_entry(home, fd);
            const int rc = e ? uv_poll_init(home->uv(), &e->handle, fd) : UV_ENOMEM;
            if (rc < 0) {
                delete e;
                home->registered().erase(fd);
                return rc == UV_ENOMEM ? CHM_E_NOMEM : CHM_E_INVAL;
            }
            e->handle.data = e;
            *out = reinterpret_cast<chm_io*>(e);
            return CHM_OK;
        });
    }

    static std::uint32_t io_poll(chm_reactor*, chm_io* io, std::uint32_t interest, chm_waker* waker) noexcept {
        io_entry& e = entry(io);
        if (elsewhere(e)) return CHM_IO_ERR;
        if (const std::uint32_t now = e.ready(interest)) return now;
        e.waiter.become(waker);
        e.interest = (interest & both) | CHM_IO_HUP;
        // If the watch changes at all, bits that were not consumed leave it at the same price.
        if (e.interest & ~e.watched) e.watch(e.interest | (e.watched & ~e.readiness));
        return 0;
    }

    static void io_clear(chm_reactor*, chm_io* io, std::uint32_t seen, std::uint32_t bits, std::uint32_t) noexcept {
        // DRAINED and RECHECK are one: the watch is level-triggered, so the kernel is asked again on every turn.
        io_entry& e = entry(io);
        if (elsewhere(e) || (e.readiness ^ seen) >= tick) return;
        e.readiness &= ~(bits & both);
        if (e.waiter) e.watch(e.watched | (e.interest & ~e.readiness));
    }

    static void io_deregister(chm_reactor*, chm_io* io) noexcept {
        io_entry& e = entry(io);
        if (elsewhere(e)) return; // cannot be done here; its worker finds it at the end
        e.home->registered().erase(e.fd);
        close_entry(e); // takes fd out of the kernel's set at once: fd may be closed, and its number reused
    }

    static chm_rc timer_create(chm_reactor* r, chm_timer** out) noexcept {
        worker* home = here(r);
        if (!home) return CHM_E_AFFINITY;
        auto* t = new (std::nothrow) timer_entry(home);
        if (!t) return CHM_E_NOMEM;
        uv_timer_init(home->uv(), &t->handle);
        t->handle.data = t;
        *out = reinterpret_cast<chm_timer*>(t);
        return CHM_OK;
    }

    static chm_rc timer_poll(chm_reactor*, chm_timer* timer, std::uint64_t deadline_ns, chm_waker* waker) noexcept {
        timer_entry& t = entry(timer);
        if (elsewhere(t)) return CHM_E_AFFINITY;
        if (sdk::now_ns() >= deadline_ns) {
            t.disarm();
            return CHM_READY;
        }
        t.waiter.become(waker);
        if (t.deadline_ns != deadline_ns) t.arm(deadline_ns);
        return CHM_PENDING;
    }

    static void timer_destroy(chm_reactor*, chm_timer* timer) noexcept {
        timer_entry& t = entry(timer);
        if (!elsewhere(t)) close_entry(t);
    }

    static const void* get_extension(chm_reactor*, const char*) noexcept { return nullptr; }

    static constexpr chm_reactor_vt vtable{
        sizeof(chm_reactor_vt), 0,          io_register,   io_poll,      io_clear, io_deregister,
        timer_create,           timer_poll, timer_destroy, get_extension};
};

reactor::reactor() noexcept : chm_reactor{&reactor_functions::vtable} {}

} // namespace chimera::uv_pinned
