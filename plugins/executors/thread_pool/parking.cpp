// Sleeping: who is woken when there is work, and who turns the reactor while there is none.
#include <bit>
#include <utility>

#include "pool.hpp"

namespace chimera::thread_pool {

namespace {
// How long the reactor may stay without a driver while a worker sleeps. The driver itself polls the tasks that it woke:
// to wake another worker for every event would cost more than most polls. So a poll that blocks delays the I/O of other
// tasks by up to this time.
constexpr timespec takeover_after{0, 10'000'000};
} // namespace

/// A sleeper, no longer listed; nullptr if there is none. A sleeper on a futex is cheaper to wake than the driver.
worker* pool::take_sleeper() noexcept {
    for (;;) {
        std::uint64_t mask = parked_.load();
        if (mask == 0) return nullptr;
        if (const std::uint64_t others = mask & ~driver_.load()) mask = others;
        const int i = std::countr_zero(mask);
        const std::uint64_t bit = std::uint64_t{1} << i;
        if (parked_.fetch_and(~bit) & bit) return &workers_[static_cast<std::uint32_t>(i)];
    }
}

/// steal = true. Makes sure that a worker that is awake will look for work that was queued before the call.
void pool::notify_one() noexcept {
    while (parked_.load() != 0) {
        std::uint32_t nobody = 0;
        if (!searching_.compare_exchange_strong(nobody, 1)) return;
        if (worker* w = take_sleeper()) { // counted as searching on its behalf
            w->parking.unpark(reactor_);
            return;
        }
        searching_.fetch_sub(1); // others may have relied on it meanwhile: look again
    }
}

void pool::notify_pinned(worker& target) noexcept {
    if ((parked_.load() & target.bit()) != 0 && (parked_.fetch_and(~target.bit()) & target.bit()) != 0)
        target.parking.unpark(reactor_);
}

void pool::wake_one() noexcept {
    if (options_.steal)
        notify_one();
    else if (worker* w = take_sleeper())
        w->parking.unpark(reactor_);
}

void pool::stop_searching(worker& w) noexcept {
    if (!w.searching) return;
    w.searching = false;
    if (searching_.fetch_sub(1) == 1) notify_one();
}

void pool::unlist(worker& w) noexcept {
    if (!w.listed) return;
    w.listed = false;
    const bool taken = (parked_.fetch_and(~w.bit()) & w.bit()) == 0;
    if (taken && options_.steal) w.searching = true; // as the notifier has counted it
}

void pool::park(worker& w) noexcept {
    if (w.searching) {
        w.searching = false;
        searching_.fetch_sub(1);
    }
    w.listed = true;
    parked_.fetch_or(w.bit());
    if (!sees_work(w) && !life_.ended() && !try_drive(w)) {
        if (!standby_.exchange(true))
            sleep_on_standby(w);
        else
            w.parking.sleep(nullptr);
    }
    unlist(w);
    w.off_watch = true;
}

/// Called before a poll, which may block: another worker must be left that looks at the reactor.
///
/// Workers sleep without a limit only while there is a driver and one on standby. A worker that gives up either role,
/// or that was woken to take one, either parks again and takes a role, or comes through here. So the last one to leave
/// sees that both roles are vacant, and wakes a sleeper, which does the same.
void pool::keep_watch(worker& w) noexcept {
    if (!std::exchange(w.off_watch, false)) return;
    if (driver_.load() == 0 && !standby_.load()) wake_one();
}

/// The one sleeper that looks from time to time whether the driver has left the reactor alone. If so, it drives the
/// next time it parks, which is at once.
void pool::sleep_on_standby(worker& w) noexcept {
    bool abandoned = false;
    while (!abandoned && !w.parking.sleep(&takeover_after)) abandoned = driver_.load() == 0;
    standby_.store(false);
}

/// False when another worker drives.
bool pool::try_drive(worker& w) noexcept {
    std::uint64_t nobody = 0;
    if (!driver_.compare_exchange_strong(nobody, w.bit())) return false;
    w.parking.drive(reactor_);
    driver_.store(0);
    return true;
}

/// A look without waiting, for a worker that is busy. Nothing to do while another worker waits in the reactor.
void pool::look_at_reactor(worker& w) noexcept {
    std::uint64_t nobody = 0;
    if (!driver_.compare_exchange_strong(nobody, w.bit())) return;
    reactor_.turn(0);
    driver_.store(0);
    w.off_watch = true;
}

} // namespace chimera::thread_pool
