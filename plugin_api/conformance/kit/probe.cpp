#include "probe.hpp"

#include <utility>

#include "expect.hpp"

namespace chimera::conformance {

// Relaxed, or release only: a probe must not hide a missing synchronisation of the executor. polls() and drops() let a
// case watch the counters from outside, and order it after the polls and drops that they count.
static constexpr auto relaxed = std::memory_order_relaxed;

thread_local const char* no_poll_here::here = nullptr;

const chm_task_vt probe::vtable{
    [](chm_task* t, chm_waker* w) noexcept { return static_cast<probe*>(t)->poll_once(w); },
    [](chm_task* t) noexcept { static_cast<probe*>(t)->drop_once(); },
};

probe::probe(ledger& owner, std::shared_ptr<const phase> where, step s)
    : chm_task{&vtable}, ledger_(owner), phase_(std::move(where)), step_(std::move(s)) {}

chm_rc probe::poll_once(chm_waker* w) noexcept {
    const char* broken = nullptr;
    if (busy_.exchange(true, relaxed)) broken = "a task is polled by two threads at once";
    if (drops_.load(relaxed) > 0) broken = "a task is polled after drop";
    if (over_.load(relaxed)) broken = "a task is polled after it was done";
    if (!phase_->begun.load(relaxed)) broken = "a task is polled before run";
    if (phase_->ended.load(relaxed)) broken = "a task is polled after run returned";
    if (!w) broken = "a task is polled without a waker";
    std::thread::id nobody{};
    if (!home_.compare_exchange_strong(nobody, std::this_thread::get_id(), relaxed) && phase_->pinned &&
        nobody != std::this_thread::get_id())
        broken = "a task of a pinned executor is polled on another thread than before";
    if (broken) {
        ledger_.report(broken);
        return CHM_E_FAIL;
    }
    if (const char* where = no_poll_here::current()) ledger_.report(std::string("a task is polled inside ") + where);
    const no_poll_here polling(nullptr);
    polls_.fetch_add(1, std::memory_order_release);
    chm_rc rc = CHM_E_FAIL;
    try {
        rc = step_(w);
    } catch (const std::exception& e) {
        ledger_.report(e.what());
    }
    if (rc != CHM_PENDING) over_.store(true, relaxed);
    busy_.store(false, relaxed);
    return rc;
}

void probe::drop_once() noexcept {
    if (drops_.fetch_add(1, std::memory_order_release) > 0) return ledger_.report("a task is dropped twice");
    if (busy_.load(relaxed)) ledger_.report("a task is dropped during its poll");
    if (const char* where = no_poll_here::current();
        where && phase_->begun.load(relaxed) && !phase_->ended.load(relaxed))
        ledger_.report(std::string("a task is dropped inside ") + where);
    if (phase_->pinned && polls_.load(relaxed) > 0 && home_.load(relaxed) != std::this_thread::get_id())
        ledger_.report("a task of a pinned executor is dropped on another thread than its polls");
    if (phase_->ended.load(relaxed) && polls_.load(relaxed) > 0)
        ledger_.report("a task that was polled is dropped after run returned");
    if (dropped_) dropped_();
    step_ = nullptr;
}

probe& ledger::create(std::shared_ptr<const phase> where, probe::step s) {
    auto made = std::make_unique<probe>(*this, std::move(where), std::move(s));
    const std::lock_guard lock(mutex_);
    probes_.push_back(std::move(made));
    return *probes_.back();
}

void ledger::expect_all_dropped() {
    const std::lock_guard lock(mutex_);
    std::size_t never = 0;
    for (const auto& p : probes_) never += p->drops() == 0;
    if (never > 0)
        report_(std::to_string(never) + " of " + std::to_string(probes_.size()) + " tasks were never dropped");
}

} // namespace chimera::conformance
