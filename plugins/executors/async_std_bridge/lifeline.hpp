// How the bridge learns that the foreign executor has stopped, so that nobody waits for it for ever.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "chimera/abi/executor.h"
#include "chimera/sdk/error.hpp"
#include "chimera/sdk/waker.hpp"

namespace chimera::async_std_bridge {

/// A task on the foreign executor that only waits to be dropped: that is the contract's own sign of a stop. Any thread.
class lifeline {
  public:
    /// Throws sdk::error when the foreign executor takes no task.
    static std::shared_ptr<lifeline> tie(chm_executor& foreign) {
        auto line = std::make_shared<lifeline>();
        auto end = std::make_unique<far_end>(line);
        if (const chm_rc rc = foreign.vt->spawn(&foreign, end.get(), nullptr); rc < 0)
            throw sdk::error(rc, "the foreign executor takes no task; was it stopped?");
        static_cast<void>(end.release());
        return line;
    }
    /// The foreign executor may let go of the task: nobody listens any more.
    void untie() noexcept {
        {
            std::lock_guard lock(mutex_);
            untied_ = true;
        }
        far_waker_.wake();
    }

    /// One who waits for the foreign executor.
    class listener {
      public:
        explicit listener(std::shared_ptr<lifeline> line) : line_(std::move(line)) {
            std::lock_guard lock(line_->mutex_);
            place_ = line_->listeners_.emplace(line_->listeners_.end());
        }
        listener(const listener&) = delete;
        listener& operator=(const listener&) = delete;
        ~listener() {
            std::lock_guard lock(line_->mutex_);
            line_->listeners_.erase(place_);
        }
        /// Leaves the waker that is woken when the foreign executor stops; ask cut() afterwards.
        void wake_on_cut(chm_waker* borrowed) noexcept {
            // The slot keeps its waker, and so the address its meaning, until the cut. After that, nobody needs it.
            if (std::exchange(left_, borrowed) != borrowed) place_->set(borrowed);
        }
        bool cut() const noexcept { return line_->cut_.load(std::memory_order_acquire); }

      private:
        std::shared_ptr<lifeline> line_;
        std::list<sdk::waker_slot>::iterator place_;
        chm_waker* left_ = nullptr;
    };

  private:
    struct far_end final : chm_task {
        explicit far_end(std::shared_ptr<lifeline> l) noexcept : chm_task{&vtable}, line(std::move(l)) {}
        std::shared_ptr<lifeline> line;

        static chm_rc poll(chm_task* t, chm_waker* waker) noexcept {
            lifeline& line = *static_cast<far_end*>(t)->line;
            line.far_waker_.set(waker);
            std::lock_guard lock(line.mutex_);
            return line.untied_ ? CHM_READY : CHM_PENDING;
        }
        static void drop(chm_task* t) noexcept {
            const std::unique_ptr<far_end> self(static_cast<far_end*>(t));
            self->line->far_waker_.clear();
            self->line->tell();
        }
        static constexpr chm_task_vt vtable{poll, drop};
    };

    void tell() noexcept {
        std::size_t n = 0;
        {
            std::lock_guard lock(mutex_);
            cut_.store(true, std::memory_order_release); // before a slot is emptied: see waker_slot
            n = listeners_.size();
        }
        while (n-- > 0) { // who is told goes to the end of the list, and wakes happen outside of the lock
            sdk::waker waiter;
            {
                std::lock_guard lock(mutex_);
                if (listeners_.empty()) return;
                waiter = listeners_.front().take();
                listeners_.splice(listeners_.end(), listeners_, listeners_.begin());
            }
            waiter.wake();
        }
    }

    sdk::waker_slot far_waker_;
    std::atomic<bool> cut_{false};
    std::mutex mutex_;
    // Guarded by mutex_.
    std::list<sdk::waker_slot> listeners_;
    bool untied_ = false;
};

} // namespace chimera::async_std_bridge
