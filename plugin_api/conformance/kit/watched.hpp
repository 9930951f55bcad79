// Stand-ins that watch calls: around wakers, reactors and tasks.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "chimera/abi/reactor.h"
#include "chimera/abi/transport.h"
#include "chimera/sdk/reactor.hpp"
#include "chimera/sdk/waker.hpp"
#include "probe.hpp"

namespace chimera::conformance {

/// Lent to a plugin in place of the waker of the task that polls. A clone counts as kept until it is
/// woken or dropped; wakes are passed on. The plugin may hold it for as long as it likes. Any thread.
class watched_waker {
  public:
    explicit watched_waker(chm_waker* around) : watched_(new watched(around)) {}
    watched_waker(const watched_waker&) = delete;
    watched_waker& operator=(const watched_waker&) = delete;
    ~watched_waker() { watched_->release(); }

    /// To be lent.
    chm_waker* get() const noexcept { return watched_; }
    /// There is another reference, or a wake has come: after a poll that answered 0 the task may wait.
    bool is_kept_or_woken() const noexcept {
        return watched_->references.load(std::memory_order_acquire) > 1 || watched_->woken.load();
    }

  private:
    struct watched final : chm_waker {
        explicit watched(chm_waker* around) : chm_waker{&vtable}, to(sdk::waker::clone(around)) {}
        const sdk::waker to;
        std::atomic<unsigned> references{1};
        std::atomic<bool> woken{false};

        void wake_once() noexcept {
            woken = true; // before the reference is released: a thread that sees no reference sees this
            to.wake_by_ref();
        }
        void release() noexcept {
            if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
        }
    };
    static watched& self(chm_waker* w) noexcept { return *static_cast<watched*>(w); }
    static constexpr chm_waker_vt vtable{
        [](chm_waker* w) noexcept {
            self(w).references.fetch_add(1, std::memory_order_relaxed);
            return w;
        },
        [](chm_waker* w) noexcept {
            self(w).wake_once();
            self(w).release();
        },
        [](chm_waker* w) noexcept { self(w).wake_once(); },
        [](chm_waker* w) noexcept { self(w).release(); },
    };
    watched* watched_;
};

/// The task that this thread polls waits for a poll that answered 0 and will never wake it. The poller of coroutines
/// ends such a task, which would hang.
inline thread_local bool nobody_will_wake = false;

/// After a poll of a plugin with `w`: reports a broken rule if the answer was CHM_PENDING and no wake can come.
inline void expect_a_wake(const watched_waker& w, bool pending, const char* call, ledger& to) {
    if (!pending || w.is_kept_or_woken()) return;
    nobody_will_wake = true;
    to.report(std::string(call) +
              " answered 0, which is CHM_PENDING (and CHM_OK), and kept no waker: nothing will ever "
              "wake this task. A poll that is done answers CHM_READY");
}

/// Around a task that a plugin has spawned. A poll that answers 0 and keeps no waker is reported, and ends the task.
class watched_task final : public chm_task {
  public:
    watched_task(chm_task* inner, ledger& to) noexcept : chm_task{&vtable}, inner_(inner), ledger_(to) {}

  private:
    static watched_task& self(chm_task* t) noexcept { return *static_cast<watched_task*>(t); }
    static chm_rc poll_thunk(chm_task* t, chm_waker* w) noexcept {
        const watched_waker mine(w);
        const chm_rc rc = self(t).inner_->vt->poll(self(t).inner_, mine.get());
        expect_a_wake(mine, rc == CHM_PENDING, "the poll of a task", self(t).ledger_);
        return rc == CHM_PENDING && std::exchange(nobody_will_wake, false) ? CHM_E_FAIL : rc;
    }
    static void drop_thunk(chm_task* t) noexcept {
        self(t).inner_->vt->drop(self(t).inner_);
        delete &self(t);
    }
    static constexpr chm_task_vt vtable{poll_thunk, drop_thunk};

    chm_task* inner_;
    ledger& ledger_;
};

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

/// Passes every call on, and reports a descriptor that was closed before it was deregistered: by then its number may be
/// another connection's. Any thread that the reactor inside allows.
class descriptor_watch final : public chm_reactor {
  public:
    descriptor_watch(chm_reactor* inner, ledger& to) noexcept : chm_reactor{&table_}, inner_(inner), ledger_(to) {
        table_.flags = inner->vt->flags;
    }
    descriptor_watch(const descriptor_watch&) = delete;
    descriptor_watch& operator=(const descriptor_watch&) = delete;
    ~descriptor_watch() {
        for (registration* left : open_) delete left;
    }

    /// When everything that could deregister is gone.
    void expect_none_left() {
        const std::lock_guard lock(mutex_);
        if (!open_.empty()) ledger_.report(std::to_string(open_.size()) + " descriptor(s) were never deregistered");
    }

  private:
    struct registration {
        chm_io* inner = nullptr;
        int fd;
        struct stat file {};
    };
    static descriptor_watch& self(chm_reactor* r) noexcept { return *static_cast<descriptor_watch*>(r); }
    static chm_reactor* in(chm_reactor* r) noexcept { return self(r).inner_; }
    static registration* of(chm_io* io) noexcept { return reinterpret_cast<registration*>(io); }

    static chm_rc io_register(chm_reactor* r, int fd, chm_io** out) noexcept {
        auto* made = new registration{.fd = fd};
        const chm_rc rc = in(r)->vt->io_register(in(r), fd, &made->inner);
        if (rc < 0) {
            delete made;
            return rc;
        }
        ::fstat(fd, &made->file);
        const std::lock_guard lock(self(r).mutex_);
        self(r).open_.insert(made);
        *out = reinterpret_cast<chm_io*>(made);
        return rc;
    }
    static std::uint32_t io_poll(chm_reactor* r, chm_io* io, std::uint32_t interest, chm_waker* w) noexcept {
        return in(r)->vt->io_poll(in(r), of(io)->inner, interest, w);
    }
    static void io_clear(chm_reactor* r, chm_io* io, std::uint32_t seen, std::uint32_t bits,
                         std::uint32_t how) noexcept {
        in(r)->vt->io_clear(in(r), of(io)->inner, seen, bits, how);
    }
    static void io_deregister(chm_reactor* r, chm_io* io) noexcept {
        registration* const known = of(io);
        struct stat now {};
        const bool closed = ::fstat(known->fd, &now) < 0;
        if (closed || now.st_ino != known->file.st_ino || now.st_dev != known->file.st_dev)
            self(r).ledger_.report("descriptor " + std::to_string(known->fd) +
                                   " was closed before it was deregistered" +
                                   (closed ? "" : ", and is something else by now"));
        in(r)->vt->io_deregister(in(r), known->inner);
        const std::lock_guard lock(self(r).mutex_);
        self(r).open_.erase(known);
        delete known;
    }
    static chm_rc timer_create(chm_reactor* r, chm_timer** out) noexcept { return in(r)->vt->timer_create(in(r), out); }
    static chm_rc timer_poll(chm_reactor* r, chm_timer* t, std::uint64_t deadline_ns, chm_waker* w) noexcept {
        return in(r)->vt->timer_poll(in(r), t, deadline_ns, w);
    }
    static void timer_destroy(chm_reactor* r, chm_timer* t) noexcept { in(r)->vt->timer_destroy(in(r), t); }
    // The reactor inside is the kit's own, whose extensions, if it had any, would not know these registrations.
    static const void* get_extension(chm_reactor*, const char*) noexcept { return nullptr; }

    chm_reactor* inner_;
    ledger& ledger_;
    std::mutex mutex_;
    std::set<registration*> open_;
    chm_reactor_vt table_{sizeof(chm_reactor_vt), 0,          io_register,   io_poll,      io_clear, io_deregister,
                          timer_create,           timer_poll, timer_destroy, get_extension};
};

/// Passes every call on, and reports polls of an exchange that answer 0 and keep no waker. Takes over `inner`:
/// destroying the one destroys the other.
chm_transport* watch(chm_transport* inner, ledger& to);

} // namespace chimera::conformance
