#include "reactor.hpp"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <memory>

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>
#include <chimera/sdk/waker.hpp>

namespace chimera::python_asyncio {

namespace {

constexpr std::uint32_t both = CHM_IO_READ | CHM_IO_WRITE;
constexpr std::uint32_t for_good = CHM_IO_ERR | CHM_IO_HUP;
constexpr std::uint32_t tick = 0x100;

} // namespace

/// A watched descriptor. asyncio's watch is level-triggered, and each change of it costs a call of Python and of
/// epoll_ctl: so it stays as it is while the bits that it reports are consumed, which is the steady state of a stream.
/// A bit that is reported a second time before it was consumed leaves the watch, or the wait would become a spin. It
/// returns when a task waits for it.
struct io_entry {
    reactor& home;
    const int fd;
    ref on_readable, on_writable;
    std::uint32_t readiness = 0; // bits in the low 8, a tick of the reports above
    std::uint32_t watched = 0;   // READ: there is a reader; WRITE: a writer
    std::uint32_t interest = 0;  // of the waiter
    std::uint32_t outdated = 0;  // bits with one more report on its way, older than their clear
    std::uint64_t reported = 0;  // the turn of the last report
    sdk::waker waiter;

    io_entry(reactor& r, int f) noexcept : home(r), fd(f) {}

    /// False: out of memory.
    bool watch(std::uint32_t bits) noexcept {
        outdated &= bits;
        if ((watched ^ bits) & CHM_IO_READ) {
            if (!(bits & CHM_IO_READ))
                home.loop_.remove_reader(fd);
            else if (!home.loop_.add_reader(fd, on_readable))
                return false;
            watched ^= CHM_IO_READ;
        }
        if ((watched ^ bits) & CHM_IO_WRITE) {
            if (!(bits & CHM_IO_WRITE))
                home.loop_.remove_writer(fd);
            else if (!home.loop_.add_writer(fd, on_writable))
                return false;
            watched ^= CHM_IO_WRITE;
        }
        return true;
    }

    void readable() noexcept { report(CHM_IO_READ); }
    void writable() noexcept { report(CHM_IO_WRITE); }
    void report(std::uint32_t bit) noexcept {
        if (outdated & bit) { // if it was true after all, it is reported again
            outdated &= ~bit;
            return;
        }
        reported = home.turns_.now();
        const bool unconsumed = readiness & bit;
        readiness = (readiness + tick) | bit;
        if (unconsumed) watch(watched & ~bit);
        if (interest & bit) waiter.wake();
    }
    void report_end(std::uint32_t events) noexcept {
        std::uint32_t bits = 0;
        if (events & (EPOLLRDHUP | EPOLLHUP)) bits |= CHM_IO_READ | CHM_IO_HUP;
        if (events & EPOLLERR) bits |= both | CHM_IO_ERR; // the next recv or send tells why
        readiness = (readiness + tick) | bits;
        watch(0); // it is never forgotten: from here on every poll is ready
        waiter.wake();
    }

    std::uint32_t poll(std::uint32_t wanted, chm_waker* waker) noexcept {
        if (readiness & (wanted | for_good)) return readiness;
        waiter.become(waker);
        interest = wanted & both;
        return watch(watched | interest) ? 0 : std::uint32_t{CHM_IO_ERR};
    }
    /// DRAINED and RECHECK are one: asyncio asks the kernel again in each turn.
    void clear(std::uint32_t seen, std::uint32_t bits) noexcept {
        if ((readiness ^ seen) >= tick) return;
        readiness &= ~(bits & both);
        // Reported in an earlier turn, and seen again at the beginning of this one, before it was consumed: that second
        // report is called later in this turn, and would wake the waiter for nothing.
        if (reported < home.turns_.now()) outdated |= bits & watched;
        if (waiter) watch(watched | (interest & ~readiness));
    }
};

/// A timer. An asyncio timer that is cancelled stays in the loop's heap for a while, so an earlier one is left alone
/// where it does: it finds the new deadline when it fires. A limit that every byte renews costs nothing then.
struct timer_entry {
    reactor& home;
    ref on_due, handle;            // handle: of the asyncio timer, while there is one
    std::uint64_t fires_ns = 0;    // when that one fires
    std::uint64_t deadline_ns = 0; // 0: not armed
    sdk::waker waiter;

    explicit timer_entry(reactor& r) noexcept : home(r) {}
    ~timer_entry() { forget(); }

    bool arm(std::uint64_t deadline) noexcept {
        if (!handle || deadline < fires_ns) {
            forget();
            handle = home.loop_.call_at(deadline, on_due);
            if (!handle) return false;
            fires_ns = deadline;
        }
        deadline_ns = deadline;
        return true;
    }
    void forget() noexcept {
        if (handle) home.loop_.cancel(handle);
        handle = ref();
    }
    void fire() noexcept {
        handle = ref();
        if (deadline_ns == 0) return;
        if (sdk::now_ns() < deadline_ns && arm(deadline_ns)) return; // renewed meanwhile, or early
        deadline_ns = 0;
        waiter.wake();
    }
    chm_rc poll(std::uint64_t deadline, chm_waker* waker) noexcept {
        if (sdk::now_ns() >= deadline) {
            deadline_ns = 0;
            waiter = {};
            return CHM_READY;
        }
        waiter.become(waker);
        if (deadline_ns == deadline || arm(deadline)) return CHM_PENDING;
        deadline_ns = 0;
        waiter = {};
        return CHM_E_NOMEM;
    }
};

struct reactor_functions {
    static reactor& self(chm_reactor* r) noexcept { return *static_cast<reactor*>(r); }
    static bool elsewhere(chm_reactor* r) noexcept { return !self(r).loop_.here(); }
    static io_entry& entry(chm_io* io) noexcept { return *reinterpret_cast<io_entry*>(io); }
    static timer_entry& entry(chm_timer* t) noexcept { return *reinterpret_cast<timer_entry*>(t); }

    static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
        if (elsewhere(r)) return CHM_E_AFFINITY;
        return sdk::guarded(nullptr, [&]() -> chm_rc {
            auto made = std::make_unique<io_entry>(self(r), fd);
            made->on_readable = callable<&io_entry::readable>(*made);
            made->on_writable = callable<&io_entry::writable>(*made);
            if (!made->on_readable || !made->on_writable) {
                PyErr_Clear();
                return CHM_E_NOMEM;
            }
            self(r).ios_.insert(made.get());
            epoll_event ends{};
            ends.events = EPOLLRDHUP | EPOLLET;
            ends.data.ptr = made.get();
            if (::epoll_ctl(self(r).ends_.get(), EPOLL_CTL_ADD, fd, &ends) < 0) {
                const int why = errno;
                self(r).ios_.erase(made.get());
                return why == EEXIST ? CHM_E_STATE : why == ENOMEM || why == ENOSPC ? CHM_E_NOMEM : CHM_E_INVAL;
            }
            *out = reinterpret_cast<chm_io*>(made.release());
            return CHM_OK;
        });
    }
    static std::uint32_t io_poll(chm_reactor* r, chm_io* io, std::uint32_t interest, chm_waker* waker) noexcept {
        return elsewhere(r) ? std::uint32_t{CHM_IO_ERR} : entry(io).poll(interest, waker);
    }
    static void io_clear(chm_reactor* r, chm_io* io, std::uint32_t seen, std::uint32_t bits, std::uint32_t) noexcept {
        if (!elsewhere(r)) entry(io).clear(seen, bits);
    }
    static void io_deregister(chm_reactor* r, chm_io* io) noexcept {
        if (elsewhere(r)) return; // cannot be done here; close() finds it
        io_entry& e = entry(io);
        e.watch(0);
        ::epoll_ctl(self(r).ends_.get(), EPOLL_CTL_DEL, e.fd, nullptr);
        self(r).ios_.erase(&e);
        delete &e;
    }

    static chm_rc timer_create(chm_reactor* r, chm_timer** out) noexcept {
        if (elsewhere(r)) return CHM_E_AFFINITY;
        return sdk::guarded(nullptr, [&]() -> chm_rc {
            auto made = std::make_unique<timer_entry>(self(r));
            made->on_due = callable<&timer_entry::fire>(*made);
            if (!made->on_due) {
                PyErr_Clear();
                return CHM_E_NOMEM;
            }
            self(r).timers_.insert(made.get());
            *out = reinterpret_cast<chm_timer*>(made.release());
            return CHM_OK;
        });
    }
    static chm_rc timer_poll(chm_reactor* r, chm_timer* timer, std::uint64_t deadline_ns, chm_waker* waker) noexcept {
        return elsewhere(r) ? chm_rc{CHM_E_AFFINITY} : entry(timer).poll(deadline_ns, waker);
    }
    static void timer_destroy(chm_reactor* r, chm_timer* timer) noexcept {
        if (elsewhere(r)) return;
        self(r).timers_.erase(&entry(timer));
        delete &entry(timer);
    }

    static const void* get_extension(chm_reactor*, const char*) noexcept { return nullptr; }

    static constexpr chm_reactor_vt vtable{
        sizeof(chm_reactor_vt), 0,          io_register,   io_poll,      io_clear, io_deregister,
        timer_create,           timer_poll, timer_destroy, get_extension};
};

reactor::reactor(const chm_host* host, event_loop& loop, const turns& t)
    : chm_reactor{&reactor_functions::vtable}, host_(host), loop_(loop), turns_(t),
      ends_(sdk::owned_fd::checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

bool reactor::open() noexcept {
    on_ends_ = callable<&reactor::report_ends>(*this);
    return loop_.add_reader(ends_.get(), on_ends_);
}

void reactor::close() noexcept {
    if (!on_ends_) return;
    const auto complain = [this](const char* what) {
        if (host_) host_->log(host_, CHM_LOG_WARN, sdk::str(what));
    };
    for (io_entry* e : ios_) {
        complain("a file descriptor was still registered at the end");
        e->watch(0);
        delete e;
    }
    ios_.clear();
    for (timer_entry* t : timers_) {
        complain("a timer was still there at the end");
        delete t;
    }
    timers_.clear();
    loop_.remove_reader(ends_.get());
    on_ends_ = ref();
}

void reactor::report_ends() noexcept {
    std::array<epoll_event, 64> events;
    int n = 0;
    do {
        n = ::epoll_wait(ends_.get(), events.data(), static_cast<int>(events.size()), 0);
        for (int i = 0; i < n; ++i) {
            const epoll_event& e = events[static_cast<std::size_t>(i)];
            static_cast<io_entry*>(e.data.ptr)->report_end(e.events);
        }
    } while (n == static_cast<int>(events.size()));
}

} // namespace chimera::python_asyncio
