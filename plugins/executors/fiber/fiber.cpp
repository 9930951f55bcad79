// The executor: options, workers, their common reactor, and the entry of the plugin.
#include <memory>
#include <new>

#include <chimera/sdk/epoll_reactor.hpp>

#include "../pinned/executor.hpp"
#include "worker.hpp"

namespace chimera::fiber {

namespace {

/// One reactor in front of the workers' own. A descriptor that is registered on a worker's thread is watched by that
/// worker's reactor, one that is registered elsewhere by the first worker's. Ios and timers remember their reactor, so
/// every function may be called from any thread. A wake reaches the task on whichever worker it lives.
class shared_reactor final : public chm_reactor {
  public:
    shared_reactor() noexcept : chm_reactor{&vtable} {}
    /// [before any task] Whose reactor this is, and the first worker, which outlives its use.
    void attach(const sdk::lifecycle_state& life) noexcept { life_ = &life; }
    void attach(worker& first) noexcept { first_ = &first; }

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
    const sdk::lifecycle_state* life_ = nullptr;
    worker* first_ = nullptr;
};

const chm_reactor_vt shared_reactor::vtable{
    sizeof(chm_reactor_vt), CHM_REACTOR_ANY_THREAD, io_register, io_poll,       io_clear,
    io_deregister,          timer_create,           timer_poll,  timer_destroy, get_extension};

sdk::epoll_reactor& shared_reactor::nearest(chm_reactor* r) noexcept {
    const auto& self = *static_cast<shared_reactor*>(r);
    pinned::worker* const here = pinned::worker::current();
    return (here && &here->life() == self.life_ ? *static_cast<worker*>(here) : *self.first_).reactor;
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

class executor final : public pinned::executor<executor, worker, shared_reactor> {
  public:
    static constexpr chm_option schema[]{
        sdk::int_option("workers", "1", 1, 256, "Threads, each with its own reactor; a task stays on one"),
        sdk::int_option("stack_size", "131072", 16'384, 64 << 20,
                        "Bytes of stack for each task, rounded up to whole pages; memory is taken as it is touched"),
        sdk::int_option("event_interval", "61", 1, 1'000'000, "Polls between two looks at I/O while a worker is busy"),
    };

    static constexpr const char* thread_name = "fiber";

    /// Boost.Fiber leaves its mark on a thread: one more reason why all workers have threads of their own.
    executor(const chm_host*, const sdk::options& options)
        : pinned::executor<executor, worker, shared_reactor>(options, false) {
        const fiber_options mine{static_cast<std::size_t>(options.integer("stack_size")),
                                 static_cast<std::uint32_t>(options.integer("event_interval"))};
        hire([&](sdk::lifecycle_state& life) { return std::make_unique<worker>(life, mine); });
        reactor().attach(first_worker());
    }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR && workers() == 1) return static_cast<chm_reactor*>(&first_worker().reactor);
        return pinned::executor<executor, worker, shared_reactor>::extension(id);
    }
};

} // namespace

} // namespace chimera::fiber

CHIMERA_EXECUTOR_PLUGIN("fiber", "0.1.0",
                        "A Boost.Fiber fiber for each task on pinned threads that wait in epoll; stands for smol",
                        chimera::fiber::executor);
