#include "measure/task_probe.hpp"

#include "measure/poll_log.hpp"

#include <atomic>

namespace chimera::host {
namespace {

using sdk_clock = nanoseconds_t (*)() noexcept;
constexpr sdk_clock now_ns = chimera::sdk::now_ns;

/// Stamps the first wake since the last poll, then passes it on. Reference counted like any waker: it may outlive the
/// task. For a log it also notes who woke.
class probe_waker final : public chm_waker {
  public:
    probe_waker(chm_waker* executor_waker, bool logged) noexcept
        : chm_waker{&table}, logged_(logged), identity_(executor_waker),
          inner_(executor_waker->vt->clone(executor_waker)) {}

    bool wraps(const chm_waker* executor_waker) const noexcept { return identity_ == executor_waker; }
    /// When the task became runnable; 0 if nobody has woken it since the last call.
    nanoseconds_t take_stamp() noexcept { return stamp_.exchange(0, std::memory_order_acq_rel); }
    /// The thread of that wake. Wakes that race may leave the one before: it is for showing only.
    thread_id woken_by() const noexcept { return woken_by_.load(std::memory_order_relaxed); }
    void release() noexcept {
        if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

  private:
    ~probe_waker() { inner_->vt->drop(inner_); }
    static probe_waker& self(chm_waker* w) noexcept { return *static_cast<probe_waker*>(w); }

    static chm_waker* clone(chm_waker* w) noexcept {
        self(w).refs_.fetch_add(1, std::memory_order_relaxed);
        return w;
    }
    static void wake_by_ref(chm_waker* w) noexcept {
        probe_waker& me = self(w);
        nanoseconds_t none = 0;
        const bool first = me.stamp_.compare_exchange_strong(none, now_ns(), std::memory_order_acq_rel);
        if (me.logged_ && first) me.woken_by_.store(this_thread_id(), std::memory_order_relaxed);
        me.inner_->vt->wake_by_ref(me.inner_); // always: the executor's own read-modify-write must not be skipped
    }
    static void wake(chm_waker* w) noexcept {
        wake_by_ref(w);
        self(w).release();
    }
    static void drop(chm_waker* w) noexcept { self(w).release(); }
    static constexpr chm_waker_vt table{clone, wake, wake_by_ref, drop};

    std::atomic<std::uint32_t> refs_{1};
    std::atomic<nanoseconds_t> stamp_{0};
    std::atomic<thread_id> woken_by_{0};
    const bool logged_;
    const chm_waker* identity_; // never followed: compared only
    chm_waker* inner_;
};

class task_probe final : public chm_task {
  public:
    task_probe(chm_task* inner, recorder& to) noexcept
        : chm_task{&table}, inner_(inner), recorder_(to), log_(to.record().log.get()) {}

  private:
    ~task_probe() {
        inner_->vt->drop(inner_);
        if (waker_) waker_->release();
    }
    chm_rc poll_inner(chm_waker* executor_waker) {
        const nanoseconds_t begin = now_ns();
        nanoseconds_t runnable = 0;
        thread_id woken_by = 0;
        if (waker_) {
            runnable = waker_->take_stamp();
            if (log_ && runnable) woken_by = waker_->woken_by();
        }
        if (!waker_ || !waker_->wraps(executor_waker)) { // the first poll, or an executor that changes its wakers
            auto* fresh = new probe_waker(executor_waker, log_ != nullptr);
            if (waker_) waker_->release();
            waker_ = fresh;
        }
        recorder_.poll_begins(runnable, begin);
        const agent_stage stage = recorder_.stage();
        const chm_rc rc = inner_->vt->poll(inner_, waker_);
        const nanoseconds_t end = now_ns();
        recorder_.poll_ends(end);
        if (log_) log_->add({runnable, begin, end, this_thread_id(), woken_by, stage});
        return rc;
    }
    static chm_rc poll(chm_task* t, chm_waker* executor_waker) noexcept {
        try {
            return static_cast<task_probe*>(t)->poll_inner(executor_waker);
        } catch (...) { // out of memory
            return CHM_E_NOMEM;
        }
    }
    static void drop(chm_task* t) noexcept { delete static_cast<task_probe*>(t); }
    static constexpr chm_task_vt table{poll, drop};

    chm_task* inner_;
    recorder& recorder_;
    poll_log* const log_; // null: not asked for
    probe_waker* waker_ = nullptr;
};

} // namespace

chm_task* make_task_probe(chm_task* inner, recorder& log) { return new task_probe(inner, log); }

} // namespace chimera::host
