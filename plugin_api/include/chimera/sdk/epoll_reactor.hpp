// A complete "chimera.reactor/1" on epoll, for executors that have a thread to drive it.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <new>
#include <system_error>

#include "../abi/reactor.h"
#include "clock.hpp"
#include "owned_fd.hpp"
#include "timer_heap.hpp"
#include "waker.hpp"

namespace chimera::sdk {

/// Readiness and timers for any number of threads (CHM_REACTOR_ANY_THREAD), driven by one thread at a time through
/// turn(). Descriptors are watched edge-triggered from registration on, so a poll or a clear makes no system call.
/// Timers wait in one heap behind one timerfd: nanosecond deadlines, and sanitizers know the call.
class epoll_reactor final : public chm_reactor {
  public:
    /// Throws std::system_error when the kernel has no descriptors left.
    epoll_reactor() : chm_reactor{&vtable} {
        if (!watch(event_.get(), &event_, EPOLLIN | EPOLLET) || !watch(alarm_.get(), &alarm_, EPOLLIN | EPOLLET))
            throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
    epoll_reactor(const epoll_reactor&) = delete;
    epoll_reactor& operator=(const epoll_reactor&) = delete;
    /// [no turn in progress, everything deregistered]
    ~epoll_reactor() { free_retired(); }

    /// [one thread at a time] Waits up to timeout_ms (-1: until something happens, 0: not at all) and wakes the tasks
    /// that wait for what has become ready.
    void turn(int timeout_ms) noexcept {
        free_retired();
        std::array<epoll_event, 256> events;
        const int n = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
        for (int i = 0; i < n; ++i) {
            const epoll_event& e = events[static_cast<std::size_t>(i)];
            if (e.data.ptr == &event_)
                rearm_event();
            else if (e.data.ptr == &alarm_)
                fire_timers();
            else
                static_cast<io_entry*>(e.data.ptr)->report(e.events);
        }
    }

    /// [any-thread] Readable while turn(0) would find something. The loop of a library that drives this reactor watches
    /// it, and does nothing else with it.
    int descriptor() const noexcept { return epoll_.get(); }

    /// [any-thread] Makes a turn that waits, or the next one, return at once.
    void interrupt() noexcept {
        if (interrupted_.exchange(true, std::memory_order_acq_rel)) return;
        const std::uint64_t one = 1;
        while (::write(event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
        }
    }

  private:
    struct io_entry {
        int fd;
        std::atomic<std::uint32_t> readiness{0}; // bits in the low 8, a tick of the kernel's reports above
        std::atomic<std::uint32_t> interest{0};  // of the waiter; written before the second look at readiness
        waker_slot waiter;
        io_entry* next_retired = nullptr;

        explicit io_entry(int f) noexcept : fd(f) {}

        void report(std::uint32_t events) noexcept {
            std::uint32_t bits = 0;
            if (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)) bits |= CHM_IO_READ;
            if (events & EPOLLOUT) bits |= CHM_IO_WRITE;
            if (events & EPOLLERR) bits |= CHM_IO_ERR;
            if (events & (EPOLLHUP | EPOLLRDHUP)) bits |= CHM_IO_HUP;
            std::uint32_t old = readiness.load(std::memory_order_relaxed);
            while (!readiness.compare_exchange_weak(old, (old + 0x100U) | bits, std::memory_order_seq_cst)) {
            }
            // Room to write, which every registration reports first, does not wake a reader.
            if (bits & (interest.load(std::memory_order_seq_cst) | CHM_IO_ERR | CHM_IO_HUP)) waiter.wake();
        }
        std::uint32_t ready(std::uint32_t wanted) const noexcept {
            const std::uint32_t now = readiness.load(std::memory_order_seq_cst);
            // 0 says "pending", whatever the tick: bits are set, so the word is not 0.
            return (now & (wanted | CHM_IO_ERR | CHM_IO_HUP)) ? now : 0;
        }
    };

    struct timer_entry {
        std::atomic<std::uint64_t> deadline{0}; // 0: not armed, or fired
        std::size_t place = 0;                  // timer_heap's; guarded by mutex_
        waker_slot waiter;

        std::uint64_t due_ns() const noexcept { return deadline.load(std::memory_order_relaxed); }
    };

    static epoll_reactor& self(chm_reactor* r) noexcept { return *static_cast<epoll_reactor*>(r); }
    static io_entry& entry(chm_io* io) noexcept { return *reinterpret_cast<io_entry*>(io); }
    static timer_entry& entry(chm_timer* t) noexcept { return *reinterpret_cast<timer_entry*>(t); }
    bool watch(int fd, const void* data, std::uint32_t events) const noexcept {
        epoll_event e{};
        e.events = events;
        e.data.ptr = const_cast<void*>(data);
        return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &e) == 0;
    }

    void rearm_event() noexcept {
        // Read before the flag is cleared: an interrupt after the clear writes again. Cleared by a read-modify-write,
        // so that everything written before an earlier interrupt is visible after the turn.
        std::uint64_t count = 0;
        while (::read(event_.get(), &count, sizeof count) < 0 && errno == EINTR) {
        }
        interrupted_.exchange(false, std::memory_order_acq_rel);
    }

    // --- descriptors ---
    static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR && POLLHUP == EPOLLHUP &&
                  POLLRDHUP == EPOLLRDHUP); // so that report() understands both
    static constexpr std::uint32_t all_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

    static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
        auto* e = new (std::nothrow) io_entry(fd);
        if (!e) return CHM_E_NOMEM;
        if (!self(r).watch(fd, e, all_events)) {
            const int why = errno;
            delete e;
            return why == EEXIST ? CHM_E_STATE : why == ENOMEM || why == ENOSPC ? CHM_E_NOMEM : CHM_E_INVAL;
        }
        *out = reinterpret_cast<chm_io*>(e);
        return CHM_OK;
    }
    static std::uint32_t io_poll(chm_reactor*, chm_io* io, std::uint32_t interest, chm_waker* waker) noexcept {
        io_entry& e = entry(io);
        if (const std::uint32_t now = e.ready(interest)) return now;
        if (e.interest.load(std::memory_order_relaxed) != interest)
            e.interest.store(interest, std::memory_order_seq_cst);
        e.waiter.set(waker);
        return e.ready(interest); // again: a report between the two looks has found no waiter
    }
    static void io_clear(chm_reactor*, chm_io* io, std::uint32_t seen, std::uint32_t bits, std::uint32_t how) noexcept {
        io_entry& e = entry(io);
        bits &= CHM_IO_READ | CHM_IO_WRITE;
        std::uint32_t now = e.readiness.load(std::memory_order_acquire);
        do {
            if ((now >> 8) != (seen >> 8)) return;
        } while (!e.readiness.compare_exchange_weak(now, now & ~bits, std::memory_order_acq_rel));
        if (how != CHM_IO_RECHECK) return;
        // An edge is reported once, so the kernel has to be asked whether there is still something. Not by
        // EPOLL_CTL_MOD: that would report the room to write as well, which is there nearly always, and cost a turn of
        // its own.
        pollfd p{e.fd, 0, 0};
        if (bits & CHM_IO_READ) p.events |= POLLIN | POLLRDHUP;
        if (bits & CHM_IO_WRITE) p.events |= POLLOUT;
        if (::poll(&p, 1, 0) > 0) e.report(static_cast<std::uint32_t>(p.revents));
    }
    static void io_deregister(chm_reactor* r, chm_io* io) noexcept {
        io_entry& e = entry(io);
        epoll_ctl(self(r).epoll_.get(), EPOLL_CTL_DEL, e.fd, nullptr);
        e.waiter.clear();
        // The turn in progress may still hold a report for it: it is freed when the next turn begins.
        io_entry* head = self(r).retired_.load(std::memory_order_relaxed);
        do {
            e.next_retired = head;
        } while (!self(r).retired_.compare_exchange_weak(head, &e, std::memory_order_acq_rel));
    }
    void free_retired() noexcept {
        io_entry* e = retired_.exchange(nullptr, std::memory_order_acq_rel);
        while (e) delete std::exchange(e, e->next_retired);
    }

    // --- timers ---
    static chm_rc timer_create(chm_reactor*, chm_timer** out) noexcept {
        auto* t = new (std::nothrow) timer_entry;
        *out = reinterpret_cast<chm_timer*>(t);
        return t ? CHM_OK : CHM_E_NOMEM;
    }
    static chm_rc timer_poll(chm_reactor* r, chm_timer* timer, std::uint64_t deadline_ns, chm_waker* waker) noexcept {
        timer_entry& t = entry(timer);
        if (now_ns() >= deadline_ns) {
            self(r).disarm(t);
            return CHM_READY;
        }
        t.waiter.set(waker);
        if (t.deadline.load(std::memory_order_acquire) == deadline_ns) return CHM_PENDING;
        if (self(r).arm(t, deadline_ns)) return CHM_PENDING;
        t.waiter.clear();
        return CHM_E_NOMEM;
    }
    static void timer_destroy(chm_reactor* r, chm_timer* timer) noexcept {
        timer_entry& t = entry(timer);
        t.waiter.clear();
        {
            std::lock_guard lock(self(r).mutex_); // always: a timer that just fired is still in use under the lock
            self(r).remove(t);
        }
        delete &t;
    }
    bool arm(timer_entry& t, std::uint64_t deadline_ns) noexcept {
        std::lock_guard lock(mutex_);
        t.deadline.store(deadline_ns, std::memory_order_release);
        try {
            t.place == 0 ? timers_.add(t) : timers_.moved(t);
        } catch (const std::bad_alloc&) {
            t.deadline.store(0, std::memory_order_release);
            return false;
        }
        set_alarm();
        return true;
    }
    void disarm(timer_entry& t) noexcept {
        t.waiter.clear();
        if (t.deadline.load(std::memory_order_acquire) == 0) return;
        std::lock_guard lock(mutex_);
        remove(t);
    }
    void remove(timer_entry& t) noexcept { // mutex_ held
        timers_.remove(t);
        t.deadline.store(0, std::memory_order_release);
    }
    void fire_timers() noexcept {
        for (;;) { // wakers are taken under the lock and woken outside of it
            std::array<waker, 64> due;
            std::size_t n = 0;
            {
                std::lock_guard lock(mutex_);
                alarm_ns_ = 0;
                for (const std::uint64_t now = now_ns();
                     n < due.size() && !timers_.empty() && timers_.first().due_ns() <= now; ++n) {
                    timer_entry& t = timers_.first();
                    remove(t);
                    due[n] = t.waiter.take();
                }
                if (n < due.size()) set_alarm();
            }
            for (std::size_t i = 0; i < n; ++i) due[i].wake();
            if (n < due.size()) return;
        }
    }
    void set_alarm() noexcept { // mutex_ held
        if (timers_.empty()) return;
        const std::uint64_t first_ns = timers_.first().due_ns();
        if (alarm_ns_ != 0 && alarm_ns_ <= first_ns) return; // if it goes off too early, it looks again
        alarm_ns_ = first_ns;
        itimerspec when{};
        when.it_value.tv_sec = static_cast<time_t>(alarm_ns_ / 1'000'000'000U);
        when.it_value.tv_nsec = static_cast<long>(alarm_ns_ % 1'000'000'000U);
        timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
    }

    static const void* get_extension(chm_reactor*, const char*) noexcept { return nullptr; }

    static constexpr chm_reactor_vt vtable{
        sizeof(chm_reactor_vt), CHM_REACTOR_ANY_THREAD, io_register, io_poll,       io_clear,
        io_deregister,          timer_create,           timer_poll,  timer_destroy, get_extension};

    // Any thread.
    const owned_fd epoll_ = owned_fd::checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    const owned_fd event_ = owned_fd::checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    const owned_fd alarm_ =
        owned_fd::checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
    std::atomic<bool> interrupted_{false};
    std::atomic<io_entry*> retired_{nullptr};
    // Guarded by mutex_.
    std::mutex mutex_;
    timer_heap<timer_entry> timers_;
    std::uint64_t alarm_ns_ = 0; // the deadline of alarm_; 0: none
};

} // namespace chimera::sdk
