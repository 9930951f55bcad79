#include "reactor.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <mutex>

#include <poll.h>
#include <sys/stat.h>

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/waker.hpp>

namespace chimera::asio_example {

namespace {

constexpr std::uint32_t both = CHM_IO_READ | CHM_IO_WRITE, always = CHM_IO_ERR | CHM_IO_HUP;

/// A watched descriptor. Shared with the waits that are under way, which may complete after it is deregistered.
class watched : public std::enable_shared_from_this<watched> {
  public:
    explicit watched(asio::io_context& context) : descriptor_(context) {}

    boost::system::error_code assign(int fd) {
        boost::system::error_code failed;
        descriptor_.assign(fd, failed);
        return failed;
    }
    /// Before the descriptor is closed by its owner.
    void release() {
        waiter_.clear();
        const std::lock_guard lock(mutex_);
        descriptor_.release();
    }
    std::uint32_t poll(std::uint32_t interest, chm_waker* waker) {
        waiter_.set(waker); // before the look: a wait that completes after it finds the waker
        std::unique_lock lock(mutex_);
        interest_ = interest;
        if (!(interest & both)) readiness_ |= ended();
        if (const std::uint32_t now = readiness_; now & (interest | always)) {
            lock.unlock();
            waiter_.clear();
            return now;
        }
        // Asio has no wait for the peer's end alone: without an interest, wait for something to read, and look then.
        const std::uint32_t wanted = interest & both ? interest : std::uint32_t{CHM_IO_READ};
        if (wanted & ~waiting_ & CHM_IO_READ) wait(CHM_IO_READ, descriptor_.wait_read);
        if (wanted & ~waiting_ & CHM_IO_WRITE) wait(CHM_IO_WRITE, descriptor_.wait_write);
        return 0;
    }
    void clear(std::uint32_t seen, std::uint32_t bits) {
        const std::lock_guard lock(mutex_);
        if (readiness_ >> 8 == seen >> 8) readiness_ &= ~bits;
    }

  private:
    using descriptor = asio::posix::stream_descriptor;

    void wait(std::uint32_t bit, descriptor::wait_type what) {
        descriptor_.async_wait(what, [self = shared_from_this(), bit](boost::system::error_code failed) {
            if (failed != asio::error::operation_aborted) self->report(bit);
        });
        waiting_ |= bit; // not if that threw
    }
    void report(std::uint32_t bit) {
        {
            const std::lock_guard lock(mutex_);
            waiting_ &= ~bit;
            const std::uint32_t bits = interest_ & both ? bit : bit | ended();
            readiness_ = (readiness_ + 0x100U) | bits;
            if (!(bits & (interest_ | always))) return;
        }
        waiter_.wake();
    }
    /// Whether it has failed or the peer has ended, as the kernel says.
    std::uint32_t ended() {
        pollfd now{descriptor_.native_handle(), POLLRDHUP, 0}; // -1 once it was released: nothing
        if (::poll(&now, 1, 0) <= 0) return 0;
        return (now.revents & (POLLRDHUP | POLLHUP) ? std::uint32_t{CHM_IO_HUP} : 0U) |
               (now.revents & (POLLERR | POLLNVAL) ? std::uint32_t{CHM_IO_ERR} : 0U);
    }

    sdk::waker_slot waiter_;
    std::mutex mutex_;
    descriptor descriptor_;
    std::uint32_t readiness_ = 0; // bits in the low 8, a tick above
    std::uint32_t interest_ = 0, waiting_ = 0;
};

/// Shared with the wait that is under way.
class alarm : public std::enable_shared_from_this<alarm> {
  public:
    explicit alarm(asio::io_context& context) : timer_(context) {}

    bool poll(std::uint64_t deadline_ns, chm_waker* waker) {
        if (sdk::now_ns() >= deadline_ns) {
            disarm();
            return true;
        }
        waiter_.set(waker);
        const std::lock_guard lock(mutex_);
        if (armed_ == deadline_ns) return false;
        armed_ = 0; // also if what follows throws
        const auto latest = std::numeric_limits<std::chrono::nanoseconds::rep>::max();
        const auto when = std::min(deadline_ns, static_cast<std::uint64_t>(latest));
        timer_.expires_at(
            std::chrono::steady_clock::time_point(std::chrono::nanoseconds(when))); // ends the earlier wait
        timer_.async_wait([self = shared_from_this(), deadline_ns](boost::system::error_code failed) {
            if (!failed) self->fire(deadline_ns);
        });
        armed_ = deadline_ns;
        return false;
    }
    void disarm() {
        waiter_.clear();
        const std::lock_guard lock(mutex_);
        if (armed_ == 0) return;
        armed_ = 0;
        timer_.cancel();
    }

  private:
    void fire(std::uint64_t deadline_ns) {
        {
            const std::lock_guard lock(mutex_);
            if (armed_ != deadline_ns) return; // was on its way when the timer was armed anew
            armed_ = 0;
        }
        waiter_.wake();
    }

    sdk::waker_slot waiter_;
    std::mutex mutex_;
    asio::steady_timer timer_;
    std::uint64_t armed_ = 0; // 0: not
};

// A chm_io or chm_timer is a pointer to a shared pointer.
template <class T, class Handle>
std::shared_ptr<T>& object(Handle* handle) noexcept {
    return *reinterpret_cast<std::shared_ptr<T>*>(handle);
}

/// epoll refuses these, and Asio then calls them always ready.
bool is_file(int fd) noexcept {
    struct stat what {};
    return ::fstat(fd, &what) == 0 && (S_ISREG(what.st_mode) || S_ISDIR(what.st_mode));
}

} // namespace

chm_rc reactor::io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
    if (is_file(fd)) return CHM_E_INVAL;
    return sdk::guarded(nullptr, [&]() -> chm_rc {
        auto made = std::make_unique<std::shared_ptr<watched>>(std::make_shared<watched>(self(r).context_));
        if (const auto failed = (*made)->assign(fd))
            return failed == boost::system::errc::file_exists         ? CHM_E_STATE
                   : failed == boost::system::errc::not_enough_memory ? CHM_E_NOMEM
                                                                      : CHM_E_INVAL;
        *out = reinterpret_cast<chm_io*>(made.release());
        return CHM_OK;
    });
}

std::uint32_t reactor::io_poll(chm_reactor*, chm_io* io, std::uint32_t interest, chm_waker* waker) noexcept {
    std::uint32_t ready = CHM_IO_ERR; // out of memory
    sdk::guarded(nullptr, [&]() -> chm_rc {
        ready = object<watched>(io)->poll(interest, waker);
        return CHM_OK;
    });
    return ready;
}

void reactor::io_clear(chm_reactor*, chm_io* io, std::uint32_t seen, std::uint32_t bits, std::uint32_t) noexcept {
    object<watched>(io)->clear(seen, bits & (CHM_IO_READ | CHM_IO_WRITE));
}

void reactor::io_deregister(chm_reactor*, chm_io* io) noexcept {
    object<watched>(io)->release();
    delete &object<watched>(io);
}

chm_rc reactor::timer_create(chm_reactor* r, chm_timer** out) noexcept {
    return sdk::guarded(nullptr, [&]() -> chm_rc {
        *out = reinterpret_cast<chm_timer*>(new std::shared_ptr<alarm>(std::make_shared<alarm>(self(r).context_)));
        return CHM_OK;
    });
}

chm_rc reactor::timer_poll(chm_reactor*, chm_timer* timer, std::uint64_t deadline_ns, chm_waker* waker) noexcept {
    return sdk::guarded(
        nullptr, [&]() -> chm_rc { return object<alarm>(timer)->poll(deadline_ns, waker) ? CHM_READY : CHM_PENDING; });
}

void reactor::timer_destroy(chm_reactor*, chm_timer* timer) noexcept {
    object<alarm>(timer)->disarm();
    delete &object<alarm>(timer);
}

const void* reactor::get_extension(chm_reactor*, const char*) noexcept { return nullptr; }

const chm_reactor_vt reactor::vtable{
    sizeof(chm_reactor_vt), CHM_REACTOR_ANY_THREAD, io_register, io_poll,       io_clear,
    io_deregister,          timer_create,           timer_poll,  timer_destroy, get_extension};

} // namespace chimera::asio_example
