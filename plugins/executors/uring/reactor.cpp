// Descriptors and timers on an io_uring.
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"
#include "reception.hpp"
#include "worker.hpp"

namespace chimera::uring {

namespace {

constexpr std::uint32_t both = CHM_IO_READ | CHM_IO_WRITE;
constexpr std::uint32_t tick = 0x100;

/// A registered descriptor. Each direction is watched by a multishot poll, from the first wait for it on. The kernel
/// answers at each change, so neither a poll nor a clear makes a request. A direction without a waiter costs nothing.
/// The peer's end is watched with any direction, or alone.
///
/// A receive beside it reports the end of the peer's sending itself. Then that end is not a hang-up here: a hang-up
/// is never forgotten, so a task that waits for room to write would be answered at once for ever.
class io_entry final : public entry {
  public:
    io_entry(worker& at, int fd) noexcept : entry(at), fd_(fd) {}

    std::uint32_t poll(std::uint32_t interest, chm_waker* waker) noexcept {
        if (readiness_ & (interest | CHM_IO_ERR | CHM_IO_HUP)) return readiness_;
        waiter.become(waker);
        interest_ = interest & both;
        watch_for_waiter();
        return 0;
    }
    void clear(std::uint32_t seen, std::uint32_t bits, std::uint32_t how) noexcept {
        if ((readiness_ ^ seen) >= tick) return;
        readiness_ &= ~(bits & both);
        if (how != CHM_IO_RECHECK) return;
        // The kernel answers only at changes, so it has to be asked whether the bits are still there.
        pollfd now{fd_, 0, 0};
        if (bits & CHM_IO_READ) now.events = read_.events;
        if (bits & CHM_IO_WRITE) now.events = static_cast<short>(now.events | write_.events);
        if (::poll(&now, 1, 0) > 0) report(static_cast<std::uint32_t>(now.revents));
    }

  private:
    class watch final : public operation {
      public:
        watch(io_entry& io, short e) noexcept : events(e), io_(io) {}
        void begin() noexcept {
            if (in_flight()) return;
            io_.home.requests().ask(*this, [&](io_uring_sqe* sqe) {
                io_uring_prep_poll_multishot(sqe, io_.fd_, static_cast<unsigned>(events));
            });
        }
        const short events;

      private:
        void answered(int result, std::uint32_t) noexcept override { io_.answered(result); }
        io_entry& io_;
    };

    ~io_entry() override = default;
    void end() noexcept override {
        closed_ = true;
        home.registered().erase(fd_);
        if (!asked()) {
            delete this;
            return;
        }
        home.requests().cancel(read_);
        home.requests().cancel(write_);
        home.requests().cancel(end_);
        home.requests().flush();
    }
    bool asked() const noexcept { return read_.in_flight() || write_.in_flight() || end_.in_flight(); }
    void watch_for_waiter() noexcept {
        if (interest_ & CHM_IO_READ) read_.begin();
        if (interest_ & CHM_IO_WRITE) write_.begin();
        if (interest_ == 0) end_.begin();
    }

    void answered(int result) noexcept {
        if (closed_) {
            if (!asked()) delete this;
            return;
        }
        if (result >= 0)
            report(static_cast<std::uint32_t>(result));
        else if (result != -ECANCELED)
            report(POLLERR | POLLIN | POLLOUT); // the next recv or send tells why
        if (waiter) watch_for_waiter();         // the kernel may end a watch
    }
    void report(std::uint32_t events) noexcept {
        if ((events & POLLRDHUP) && home.receiving().contains(fd_)) events &= ~std::uint32_t{POLLRDHUP};
        std::uint32_t bits = 0;
        if (events & (POLLIN | POLLRDHUP)) bits |= CHM_IO_READ;
        if (events & POLLOUT) bits |= CHM_IO_WRITE;
        if (events & (POLLERR | POLLNVAL)) bits |= CHM_IO_ERR;
        if (events & (POLLHUP | POLLRDHUP)) bits |= CHM_IO_HUP;
        readiness_ = (readiness_ + tick) | bits;
        if (bits & (interest_ | CHM_IO_ERR | CHM_IO_HUP)) waiter.wake();
    }

    const int fd_;
    bool closed_ = false;         // let go: freed with the last answer
    std::uint32_t readiness_ = 0; // bits in the low 8, a tick of the reports above
    std::uint32_t interest_ = 0;  // of the waiter
    watch read_{*this, POLLIN | POLLRDHUP};
    watch write_{*this, POLLOUT | POLLRDHUP};
    watch end_{*this, POLLRDHUP}; // for a waiter without an interest
};

io_entry& self(chm_io* io) noexcept { return *reinterpret_cast<io_entry*>(io); }
timer_entry& self(chm_timer* t) noexcept { return *reinterpret_cast<timer_entry*>(t); }
bool elsewhere(const entry& e) noexcept { return &e.home != worker::current(); }

/// Anything that can be polled. Files on a disk cannot: they are always ready.
bool pollable(int fd) noexcept {
    struct stat about {};
    return fstat(fd, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode) && !S_ISBLK(about.st_mode);
}

chm_rc io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
    worker* const home = static_cast<reactor*>(r)->here();
    if (!home) return CHM_E_AFFINITY;
    if (!pollable(fd)) return CHM_E_INVAL;
    return sdk::guarded(nullptr, [&]() -> chm_rc {
        if (!home->registered().insert(fd).second) return CHM_E_STATE;
        auto* const made = new (std::nothrow) io_entry(*home, fd);
        if (!made) {
            home->registered().erase(fd);
            return CHM_E_NOMEM;
        }
        *out = reinterpret_cast<chm_io*>(made);
        return CHM_OK;
    });
}

std::uint32_t io_poll(chm_reactor*, chm_io* io, std::uint32_t interest, chm_waker* waker) noexcept {
    return elsewhere(self(io)) ? static_cast<std::uint32_t>(CHM_IO_ERR) : self(io).poll(interest, waker);
}

void io_clear(chm_reactor*, chm_io* io, std::uint32_t seen, std::uint32_t bits, std::uint32_t how) noexcept {
    if (!elsewhere(self(io))) self(io).clear(seen, bits, how);
}

void io_deregister(chm_reactor*, chm_io* io) noexcept {
    if (!elsewhere(self(io))) self(io).let_go(); // else it cannot be done here; its worker finds it at the end
}

chm_rc timer_create(chm_reactor* r, chm_timer** out) noexcept {
    worker* const home = static_cast<reactor*>(r)->here();
    if (!home) return CHM_E_AFFINITY;
    auto* const made = new (std::nothrow) timer_entry(*home);
    if (!made) return CHM_E_NOMEM;
    *out = reinterpret_cast<chm_timer*>(made);
    return CHM_OK;
}

chm_rc timer_poll(chm_reactor*, chm_timer* timer, std::uint64_t deadline_ns, chm_waker* waker) noexcept {
    timer_entry& t = self(timer);
    if (elsewhere(t)) return CHM_E_AFFINITY;
    sdk::timer_heap<timer_entry>& timers = t.home.timers();
    if (sdk::now_ns() >= deadline_ns) {
        timers.remove(t);
        t.deadline_ns = 0;
        t.waiter = {};
        return CHM_READY;
    }
    t.waiter.become(waker);
    if (t.deadline_ns == deadline_ns) return CHM_PENDING;
    t.deadline_ns = deadline_ns;
    if (t.place != 0) {
        timers.moved(t);
        return CHM_PENDING;
    }
    const chm_rc rc = sdk::guarded(nullptr, [&]() -> chm_rc {
        timers.add(t);
        return CHM_PENDING;
    });
    if (rc < 0) { // not armed: the same deadline, asked for again, is tried again
        t.deadline_ns = 0;
        t.waiter = {};
    }
    return rc;
}

void timer_destroy(chm_reactor*, chm_timer* timer) noexcept {
    if (!elsewhere(self(timer))) self(timer).let_go();
}

const void* get_extension(chm_reactor* r, const char* id) noexcept {
    return id && std::strcmp(id, CHM_EXT_RECV) == 0 && static_cast<reactor*>(r)->receives() ? &recv_ops : nullptr;
}

constexpr chm_reactor_vt vtable{
    sizeof(chm_reactor_vt), 0,          io_register,   io_poll,      io_clear, io_deregister,
    timer_create,           timer_poll, timer_destroy, get_extension};

} // namespace

reactor::reactor() noexcept : chm_reactor{&vtable} {}

worker* reactor::here() const noexcept {
    worker* const w = worker::current();
    return w && &w->life() == life_ ? w : nullptr;
}

} // namespace chimera::uring
