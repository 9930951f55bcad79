// The executor: workers, each with a thread and an io_uring of its own, and tasks that never leave theirs.
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <memory>

#include "chimera/sdk/clock.hpp"
#include "reception.hpp"

namespace chimera::uring {

entry::entry(worker& at) noexcept : home(at), next_(at.entries_) {
    if (next_) next_->previous_ = this;
    at.entries_ = this;
}
void entry::let_go() noexcept {
    (previous_ ? previous_->next_ : home.entries_) = next_;
    if (next_) next_->previous_ = previous_;
    waiter = {};
    end();
}

void timer_entry::end() noexcept {
    home.timers().remove(*this);
    delete this;
}

worker::worker(sdk::lifecycle_state& life, const chm_host* host, const ring_options& options)
    : pinned::worker(life, host), ring_(options.entries, options.defer_taskrun) {
    if (options.buffers != 0 && ring_.receives_many())
        buffers_.emplace(ring_.raw(), options.buffers, options.buffer_size);
}

// --- the loop ---

void worker::loop() noexcept {
    ring_.enable();
    doorbell_.listen();
    while (!life().ended()) {
        take_mail();
        poll_some();
        if (starving_) feed_starving();
        if (!timers_.empty()) alarm_.set(timers_.first().due_ns());
        ring_.turn(may_sleep());
        asleep_.store(false, std::memory_order_relaxed); // a knock that comes late ends the next wait: it does no harm
    }
}

/// The sleep is announced first, by a read-modify-write, as knock() has one. Either knock() sees it, or the changes
/// before the knock are seen here.
bool worker::may_sleep() noexcept {
    if (runnable() || life().ended()) return false;
    asleep_.exchange(true);
    return !mail() && !life().ended();
}

void worker::knock() noexcept {
    if (asleep_.exchange(false)) doorbell_.knock();
}

void worker::end_loop() noexcept {
    while (entry* leaked = entries_) {
        complain();
        leaked->let_go();
    }
    ring_.drain();
}

// --- the doorbell ---

void worker::doorbell::listen() noexcept {
    home_.ring_.ask(*this, [&](io_uring_sqe* sqe) { io_uring_prep_read(sqe, fd_.get(), &count_, sizeof count_, 0); });
}
void worker::doorbell::answered(int result, std::uint32_t) noexcept {
    if (result != -ECANCELED) listen();
}
void worker::doorbell::knock() noexcept {
    const std::uint64_t one = 1;
    while (::write(fd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

// --- timers ---

/// One request of the kernel for all timers. It stays where it is when the first timer goes away or moves further off:
/// then it goes off too early, and is set again.
void worker::alarm::set(std::uint64_t deadline_ns) noexcept {
    if (in_flight() && set_to_ns_ <= deadline_ns) return;
    set_to_ns_ = deadline_ns;
    when_.tv_sec = static_cast<std::int64_t>(deadline_ns / 1'000'000'000U);
    when_.tv_nsec = static_cast<long long>(deadline_ns % 1'000'000'000U);
    if (!in_flight())
        home_.ring_.ask(*this, [&](io_uring_sqe* sqe) { io_uring_prep_timeout(sqe, &when_, 0, IORING_TIMEOUT_ABS); });
    else
        home_.ring_.tell([&](io_uring_sqe* sqe) {
            io_uring_prep_timeout_update(sqe, &when_, reinterpret_cast<std::uintptr_t>(static_cast<operation*>(this)),
                                         IORING_TIMEOUT_ABS);
        });
}
void worker::alarm::answered(int, std::uint32_t) noexcept { home_.fire_timers(); }

void worker::fire_timers() noexcept {
    for (const std::uint64_t now = sdk::now_ns(); !timers_.empty() && timers_.first().due_ns() <= now;) {
        timer_entry& t = timers_.first();
        timers_.remove(t);
        t.deadline_ns = 0;
        t.waiter.wake();
    }
}

// --- receives without a buffer ---

void worker::starves(reception& r) noexcept {
    r.next_starving = nullptr;
    *starving_end_ = &r;
    starving_end_ = &r.next_starving;
}

void worker::starves_no_more(reception& r) noexcept {
    reception** at = &starving_;
    while (*at && *at != &r) at = &(*at)->next_starving;
    if (*at) *at = r.next_starving;
    if (starving_end_ == &r.next_starving) starving_end_ = at;
}

/// A receive that holds buffers may never be read. If the polls of this turn have given no buffer back, the bytes in
/// the buffers are moved out. Tasks may be runnable for ever, so this does not wait for an idle moment. Where readers
/// keep up it never happens: each of their polls gives a buffer back.
void worker::feed_starving() noexcept {
    if (buffers_->lent() == 0)
        for (entry* e = entries_; e; e = e->next_) e->move_out();
    for (unsigned left = buffers_->lent(); left != 0 && starving_; --left) {
        reception& r = *starving_;
        starves_no_more(r);
        r.begin();
    }
}

// --- the executor ---

class uring final : public pinned::executor<uring, worker, class reactor> {
  public:
    static constexpr std::array schema{
        pinned::workers_option,
        pinned::pin_cpus_option,
        sdk::int_option("entries", "256", 8, 32768, "Requests of each ring that may wait for the next system call"),
        sdk::int_option("buffers", "512", 0, 32768,
                        "Receive buffers of each worker, rounded up to a power of two; 0: no receive extension"),
        sdk::int_option("buffer_size", "2048", 256, 1 << 20,
                        "Bytes of each receive buffer, of which up to 80 are the kernel's"),
        sdk::bool_option("defer_taskrun", "true",
                         "Run completions only while the worker waits (Linux 6.1); false: as older kernels do"),
    };
    static constexpr const char* thread_name = "uring";

    uring(const chm_host* host, const sdk::options& options) : executor(options, options.flag("pin_cpus")) {
        const auto number = [&](const char* key) { return static_cast<unsigned>(options.integer(key)); };
        const unsigned buffers = number("buffers");
        const ring_options mine{number("entries"), options.flag("defer_taskrun"),
                                buffers == 0 ? 0 : std::bit_ceil(buffers), number("buffer_size")};
        hire([&](sdk::lifecycle_state& life) {
            auto w = std::make_unique<worker>(life, host, mine);
            reactor().offer_receives(w->receives());
            return w;
        });
    }
};

} // namespace chimera::uring

CHIMERA_EXECUTOR_PLUGIN(
    "uring", "0.1.0", "One io_uring per worker, tasks pinned for life: receives complete into the worker's own buffers",
    chimera::uring::uring);
