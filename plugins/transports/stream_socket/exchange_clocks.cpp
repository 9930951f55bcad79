#include "exchange_clocks.hpp"

#include <algorithm>
#include <ctime>
#include <limits>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"

namespace chimera::stream_socket {

namespace {

constexpr std::uint64_t good_for_ns = 1'000'000'000;

std::int64_t nanoseconds(const timespec& t) noexcept { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

} // namespace

std::uint64_t arrival_clock::monotonic(std::uint64_t stamp_ns, std::uint64_t not_before_ns,
                                       std::uint64_t now_ns) noexcept {
    if (stamp_ns == 0) return 0;
    if (now_ns - measured_ns_ > good_for_ns) measure();
    const auto converted =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, static_cast<std::int64_t>(stamp_ns) - distance_ns_));
    latest_ns_ = std::min(now_ns, std::max({converted, not_before_ns, latest_ns_}));
    return latest_ns_;
}

/// The realtime reading lies between two monotonic ones. Of a few tries the closest pair counts: one in which the
/// thread was preempted is wide, and wrong by up to half its width.
void arrival_clock::measure() noexcept {
    auto closest = std::numeric_limits<std::uint64_t>::max();
    for (int i = 0; i < 3; ++i) {
        timespec real{};
        const std::uint64_t before = sdk::now_ns();
        clock_gettime(CLOCK_REALTIME, &real);
        measured_ns_ = sdk::now_ns();
        if (measured_ns_ - before >= closest) continue;
        closest = measured_ns_ - before;
        distance_ns_ = nanoseconds(real) - static_cast<std::int64_t>(before + closest / 2);
    }
}

deadline_alarm::~deadline_alarm() {
    silence();
    if (timer_) reactor_->vt->timer_destroy(reactor_, timer_);
    if (relay_) relay_->release();
}

bool deadline_alarm::passed(std::uint64_t deadline_ns, chm_waker* waker) {
    if (deadline_ns == 0) return false;
    if (!relay_) relay_ = new relay;
    if (!timer_) {
        if (const chm_rc rc = reactor_->vt->timer_create(reactor_, &timer_); rc < 0) {
            timer_ = nullptr;
            throw sdk::error(rc, "the reactor made no timer");
        }
    }
    // Aimed before the mark is read: a timer that goes off in between wakes the task.
    relay_->aim(waker);
    if (armed_ns_ != 0 && armed_ns_ <= deadline_ns && !relay_->fired()) return false;
    relay_->reset();
    const chm_rc rc = reactor_->vt->timer_poll(reactor_, timer_, deadline_ns, relay_);
    armed_ns_ = rc == CHM_PENDING ? deadline_ns : 0;
    if (rc < 0) throw sdk::error(rc, "the reactor's timer failed");
    return rc != CHM_PENDING;
}

void deadline_alarm::silence() noexcept {
    if (relay_) relay_->aim_at_nobody();
}

void deadline_alarm::relay::release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void deadline_alarm::relay::replace(chm_waker* owned) noexcept {
    if (chm_waker* old = target_.exchange(owned, std::memory_order_acq_rel)) old->vt->drop(old);
}

void deadline_alarm::relay::fire() noexcept {
    fired_.store(true, std::memory_order_release);
    if (chm_waker* w = target_.exchange(nullptr, std::memory_order_acq_rel)) w->vt->wake(w);
}

const chm_waker_vt deadline_alarm::relay::vtable{[](chm_waker* w) noexcept {
                                                     self(w).references_.fetch_add(1, std::memory_order_relaxed);
                                                     return w;
                                                 },
                                                 [](chm_waker* w) noexcept {
                                                     self(w).fire();
                                                     self(w).release();
                                                 },
                                                 [](chm_waker* w) noexcept { self(w).fire(); },
                                                 [](chm_waker* w) noexcept { self(w).release(); }};

} // namespace chimera::stream_socket
