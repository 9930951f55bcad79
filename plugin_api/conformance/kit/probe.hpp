// Tasks that watch how they are treated.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chimera/abi.h"
#include "chimera/sdk/waker.hpp"

namespace chimera::conformance {

/// Where an executor is in its life, as its probes check it.
struct phase {
    std::atomic<bool> begun{false}; ///< run was called
    std::atomic<bool> ended{false}; ///< run has returned
    bool pinned = false;            ///< CHM_EXECUTOR_PINNED
};

class ledger;

/// A task whose poll is a function. Outlives its drop (the ledger owns the memory), so that a poll after the end, a
/// second drop, two polls at once, a poll before run, after run or inside wake or spawn, a pinned task on another
/// thread, all are seen and reported instead of being undefined.
class probe final : public chm_task {
  public:
    /// Polls; a failure that it throws is reported, and the task fails.
    using step = std::function<chm_rc(chm_waker*)>;

    probe(ledger&, std::shared_ptr<const phase>, step);
    static bool is_one(const chm_task& t) noexcept { return t.vt == &vtable; }
    unsigned polls() const noexcept { return polls_.load(); }
    unsigned drops() const noexcept { return drops_.load(); }
    /// [before run] f is called inside the drop.
    void when_dropped(std::function<void()> f) { dropped_ = std::move(f); }

  private:
    chm_rc poll_once(chm_waker*) noexcept;
    void drop_once() noexcept;
    static const chm_task_vt vtable;

    ledger& ledger_;
    std::shared_ptr<const phase> phase_;
    step step_;
    std::function<void()> dropped_;
    std::atomic<bool> busy_{false};
    std::atomic<bool> over_{false};
    std::atomic<unsigned> polls_{0}, drops_{0};
    std::atomic<std::thread::id> home_{}; // of the first poll
};

/// Every probe of a case. Any thread.
class ledger {
  public:
    explicit ledger(std::function<void(const std::string&)> report) : report_(std::move(report)) {}
    probe& create(std::shared_ptr<const phase>, probe::step);
    /// A broken rule; the case fails, and goes on as well as it can.
    void report(const std::string& what) { report_(what); }
    /// Reports every probe that was not dropped exactly once.
    void expect_all_dropped();

  private:
    std::function<void(const std::string&)> report_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<probe>> probes_;
};

/// While one lives, its thread is inside a call that must not poll. For wake(), spawn() and stop().
class no_poll_here {
  public:
    explicit no_poll_here(const char* where) noexcept : outer_(here) { here = where; }
    no_poll_here(const no_poll_here&) = delete;
    no_poll_here& operator=(const no_poll_here&) = delete;
    ~no_poll_here() { here = outer_; }
    /// The call that this thread is inside of, or NULL.
    static const char* current() noexcept { return here; }

  private:
    static thread_local const char* here;
    const char* outer_;
};

/// A thread that belongs to no executor; joined on destruction. Probes report a poll on it; a failure that f throws is
/// reported too.
class foreign_thread {
  public:
    template <class F>
    foreign_thread(ledger& to, F f)
        : thread_([&to, f = std::move(f)]() mutable {
              const no_poll_here foreign("a thread that is not the executor's");
              try {
                  f();
              } catch (const std::exception& e) {
                  to.report(e.what());
              }
          }) {}

  private:
    std::jthread thread_;
};

/// Wakes and consumes the reference.
inline void wake(sdk::waker& w) {
    const no_poll_here inside("wake");
    w.wake();
}
/// Wakes and keeps it.
inline void wake_by_ref(chm_waker* w) {
    const no_poll_here inside("wake_by_ref");
    w->vt->wake_by_ref(w);
}

/// A task without memory of its own, to be spawned again and again: ready at its first poll, in which it clones its
/// waker.
struct bare_task : chm_task {
    bare_task() noexcept : chm_task{&vtable} {}
    std::atomic<bool> free{true}; ///< not spawned now; set it to false before spawning
    static constexpr chm_task_vt vtable{
        [](chm_task*, chm_waker* w) noexcept -> chm_rc {
            const sdk::waker kept = sdk::waker::clone(w);
            return CHM_READY;
        },
        [](chm_task* t) noexcept { static_cast<bare_task*>(t)->free = true; },
    };
};

} // namespace chimera::conformance
