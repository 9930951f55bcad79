// Threads for calls that block, so that no executor's worker does.
#pragma once

#include <chimera/sdk/task.hpp>
#include <chimera/sdk/waker.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace chimera::host {

/// A few threads, started with the first call, joined on destruction after the call in progress. Any thread.
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
    /// The result of a call on another thread. Destroyed early, it does not wait; the call still runs, so it may use
    /// only what it owns.
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

} // namespace chimera::host
