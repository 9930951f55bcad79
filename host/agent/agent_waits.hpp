// The waits of an agent, its server aside: for a permit, for work that blocks, for a moment.
#pragma once

#include <chimera/sdk/task.hpp>
#include <chimera/sdk/waker.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace chimera::host {

/// A semaphore: limits how many agents work at once. Grants permits in the order of the requests. Any thread. Outlives
/// its permits.
class permit_pool {
  public:
    explicit permit_pool(int permits) : free_(permits) {}
    permit_pool(const permit_pool&) = delete;
    permit_pool& operator=(const permit_pool&) = delete;

    struct give_back_to {
        void operator()(permit_pool* pool) const noexcept { pool->give_back(); }
    };
    /// A permit; its destructor gives it back.
    using permit = std::unique_ptr<permit_pool, give_back_to>;

  private:
    struct waiter {
        sdk::waker waker;
        bool granted = false;
    };

  public:
    /// Joins the queue with its first poll. Destroyed early, it leaves the queue, or passes its permit on.
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
        [[nodiscard]] permit await_resume() {
            const std::lock_guard lock(pool_.mutex_);
            pool_.waiting_.erase(waiter_);
            taken_ = true;
            return permit(&pool_);
        }

      private:
        permit_pool& pool_;
        std::list<waiter>::iterator waiter_;
        bool queued_ = false, taken_ = false;
    };
    /// `auto mine = co_await pool.acquire();`
    acquisition acquire() noexcept { return acquisition(*this); }

  private:
    /// [mutex_ held] Grants free permits to the first in the queue; returns the wakers to wake after unlocking.
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
    /// Changes the queue or free_, then wakes tasks that got a permit: nobody wakes under a lock.
    template <class F>
    void change(F&& how) {
        std::list<sdk::waker> woken;
        {
            const std::lock_guard lock(mutex_);
            how();
            woken = grant();
        }
        for (sdk::waker& w : woken) w.wake();
    }
    void give_back() {
        change([this] { ++free_; });
    }
    void leave(std::list<waiter>::iterator who, bool waiting) {
        if (!waiting) return;
        change([&] {
            if (who->granted) ++free_;
            waiting_.erase(who);
        });
    }

    std::mutex mutex_;
    int free_;
    std::list<waiter> waiting_;
};

/// A few threads for calls that block, so that no executor's worker blocks. The first call starts them; the destructor
/// joins them after the call in progress. Any thread.
class blocking_pool {
  public:
    explicit blocking_pool(unsigned threads) : limit_(threads) {}
    blocking_pool(const blocking_pool&) = delete;
    blocking_pool& operator=(const blocking_pool&) = delete;
    ~blocking_pool();

  private:
    template <class T>
    struct result {
        std::atomic<bool> ready{false};
        std::optional<T> value;
        std::exception_ptr exception;
        sdk::waker_slot waiter;
    };

  public:
    /// The result of a call on another thread. Its destructor does not wait: the call goes on, so it must own all that
    /// it uses.
    template <class T>
    class [[nodiscard]] call final : public sdk::awaitable {
      public:
        call(blocking_pool& pool, std::function<T()> work) : result_(std::make_shared<result<T>>()) {
            pool.post([work = std::move(work), to = result_] {
                try {
                    to->value.emplace(work());
                } catch (...) {
                    to->exception = std::current_exception();
                }
                to->ready.store(true, std::memory_order_release);
                to->waiter.wake();
            });
        }
        bool poll(chm_waker* waker) override {
            if (result_->ready.load(std::memory_order_acquire)) return true;
            result_->waiter.set(waker);
            return result_->ready.load(std::memory_order_acquire);
        }
        T await_resume() {
            if (result_->exception) std::rethrow_exception(result_->exception);
            return std::move(*result_->value);
        }

      private:
        std::shared_ptr<result<T>> result_;
    };

  private:
    void post(std::function<void()> job);
    void serve();

    const unsigned limit_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::deque<std::function<void()>> jobs_;
    std::vector<std::thread> threads_;
    unsigned idle_ = 0;
    bool closing_ = false;
};

/// The pauses between an agent's calls. The host times them: an executor may have no reactor, or its timer may be the
/// thing that is measured. One thread wakes the tasks, by CLOCK_MONOTONIC; the first pause starts it, the destructor
/// joins it. Any thread. Outlives its pauses.
class think_timer {
  public:
    think_timer() = default;
    think_timer(const think_timer&) = delete;
    think_timer& operator=(const think_timer&) = delete;
    ~think_timer();

    /// Ends when the clock has reached the deadline, never earlier. Once it is destroyed it wakes nobody.
    class [[nodiscard]] pause final : public sdk::awaitable {
      public:
        pause(think_timer& timer, std::uint64_t deadline_ns) noexcept : timer_(timer), deadline_ns_(deadline_ns) {}
        pause(const pause&) = delete;
        pause& operator=(const pause&) = delete;
        ~pause() { timer_.forget({deadline_ns_, this}); }

        bool poll(chm_waker* waker) override;
        void await_resume() const noexcept {}

      private:
        think_timer& timer_;
        const std::uint64_t deadline_ns_;
    };
    /// `auto thinking = timer.until(deadline_ns); co_await thinking;`
    pause until(std::uint64_t deadline_ns) noexcept { return {*this, deadline_ns}; }

  private:
    using key = std::pair<std::uint64_t, const pause*>;

    void wait_for(key, sdk::waker);
    void forget(key) noexcept;
    void serve();

    std::mutex mutex_;
    std::condition_variable changed_; // a new pause is the first to end, or closing_ was set
    std::map<key, sdk::waker> waiting_;
    std::thread thread_;
    bool closing_ = false;
};

} // namespace chimera::host
