// A semaphore for tasks: how many agents may be at work at once. The coordinator of the reports.
#pragma once

#include <chimera/sdk/task.hpp>
#include <chimera/sdk/waker.hpp>

#include <algorithm>
#include <list>
#include <mutex>
#include <utility>

namespace chimera::host {

/// Hands out permits in the order in which they were asked for. Any thread. Outlives its permits.
class permit_pool {
  public:
    explicit permit_pool(int permits) : free_(permits) {}
    permit_pool(const permit_pool&) = delete;
    permit_pool& operator=(const permit_pool&) = delete;

    /// A permit; given back when it goes.
    class [[nodiscard]] permit {
      public:
        permit() noexcept = default;
        explicit permit(permit_pool& pool) noexcept : pool_(&pool) {}
        permit(permit&& o) noexcept : pool_(std::exchange(o.pool_, nullptr)) {}
        permit& operator=(permit&& o) noexcept {
            std::swap(pool_, o.pool_);
            return *this;
        }
        ~permit() {
            if (pool_) pool_->give_back();
        }

      private:
        permit_pool* pool_ = nullptr;
    };

  private:
    struct waiter {
        sdk::waker waker;
        bool granted = false;
    };

  public:
    /// Waits in the queue from its first poll on; leaves it, or passes its permit on, when it is destroyed unawaited.
    class [[nodiscard]] acquisition final : public sdk::awaitable {
      public:
        explicit acquisition(permit_pool& pool) noexcept : pool_(pool) {}
        acquisition(const acquisition&) = delete;
        acquisition& operator=(const acquisition&) = delete;
        ~acquisition() { pool_.leave(waiter_, queued_ && !taken_); }

        bool poll(chm_waker* waker) override {
            const std::lock_guard lock(pool_.mutex_);
            if (!queued_) {
                waiter_ = pool_.waiting_.emplace(pool_.waiting_.end());
                queued_ = true;
                pool_.grant();
            }
            if (waiter_->granted) return true;
            waiter_->waker = sdk::waker::clone(waker);
            return false;
        }
        permit await_resume() {
            const std::lock_guard lock(pool_.mutex_);
            pool_.waiting_.erase(waiter_);
            taken_ = true;
            return permit(pool_);
        }

      private:
        permit_pool& pool_;
        std::list<waiter>::iterator waiter_;
        bool queued_ = false, taken_ = false;
    };
    /// `auto mine = co_await pool.acquire();`
    acquisition acquire() noexcept { return acquisition(*this); }

  private:
    /// [mutex_ held] Grants free permits to the first in the queue; returns whom to wake.
    std::list<sdk::waker> grant() {
        std::list<sdk::waker> woken;
        for (waiter& w : waiting_) {
            if (free_ == 0) break;
            if (w.granted) continue;
            w.granted = true;
            --free_;
            woken.push_back(std::move(w.waker));
        }
        return woken;
    }
    void give_back() {
        std::list<sdk::waker> woken;
        {
            const std::lock_guard lock(mutex_);
            ++free_;
            woken = grant();
        }
        for (sdk::waker& w : woken) w.wake(); // nobody wakes under a lock
    }
    void leave(std::list<waiter>::iterator who, bool waiting) {
        if (!waiting) return;
        std::list<sdk::waker> woken;
        {
            const std::lock_guard lock(mutex_);
            if (who->granted) ++free_;
            waiting_.erase(who);
            woken = grant();
        }
        for (sdk::waker& w : woken) w.wake();
    }

    std::mutex mutex_;
    int free_;
    std::list<waiter> waiting_;
};

} // namespace chimera::host
