// A reactor around another one, which looks at what a transport does to its descriptors.
#pragma once

#include <sys/stat.h>

#include <mutex>
#include <set>
#include <string>

#include "chimera/abi/reactor.h"
#include "probe.hpp"

namespace chimera::conformance {

/// Passes every call on, and reports a descriptor that was closed before it was deregistered: by then its number may be
/// another connection's. Any thread that the reactor inside allows; what it reports outlives it.
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

} // namespace chimera::conformance
