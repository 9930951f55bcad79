// The kit's own executor: one thread, one queue, epoll. What transports are tried on when no other executor is given.
#pragma once

#include <cstdint>
#include <mutex>

#include "chimera/sdk/epoll_reactor.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/task_cell.hpp"

namespace chimera::conformance {

/// The cells that are to be polled. Outlives the executor as long as there are wakers.
class ready_queue final : public sdk::scheduler {
  public:
    explicit ready_queue(sdk::epoll_reactor& reactor) noexcept : reactor_(&reactor) {}

    void schedule(sdk::task_cell& cell) noexcept override {
        {
            const std::lock_guard lock(mutex_);
            if (reactor_) {
                cell.next = nullptr;
                (tail_ ? tail_->next : head_) = &cell;
                tail_ = &cell;
                if (std::exchange(asleep_, false)) reactor_->interrupt(); // under the lock: the reactor is still there
                return;
            }
        }
        cell.release();
    }
    /// The queue as a list; empty: the caller is going to sleep, and the next schedule() interrupts the reactor.
    sdk::task_cell* take_all() noexcept {
        const std::lock_guard lock(mutex_);
        asleep_ = head_ == nullptr;
        tail_ = nullptr;
        return std::exchange(head_, nullptr);
    }
    /// From now on cells are released instead of queued.
    void close() noexcept {
        sdk::task_cell* left = nullptr;
        {
            const std::lock_guard lock(mutex_);
            reactor_ = nullptr;
            left = std::exchange(head_, nullptr);
        }
        while (left) std::exchange(left, left->next)->release();
    }

  private:
    std::mutex mutex_;
    sdk::epoll_reactor* reactor_; // NULL: closed
    sdk::task_cell* head_ = nullptr;
    sdk::task_cell* tail_ = nullptr;
    bool asleep_ = false;
};

class reference_executor final : public sdk::executor_base<reference_executor, CHM_EXECUTOR_PINNED> {
  public:
    static constexpr std::array<chm_option, 0> schema{};

    reference_executor(const chm_host*, const sdk::options&) : queue_(new ready_queue(reactor_)) {}
    ~reference_executor() {
        queue_->close();
        live_.drop_all();
        queue_->release();
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts*) {
        const std::lock_guard lock(mutex_);
        if (stopped_) return CHM_E_CANCELED;
        sdk::task_cell* cell = sdk::task_cell::create(*queue_, task);
        if (!cell) return CHM_E_NOMEM;
        live_.add(*cell);
        queue_->schedule(*cell);
        return CHM_OK;
    }
    chm_rc run(std::uint32_t mode) {
        while (!stopped()) {
            sdk::task_cell* batch = queue_->take_all();
            const bool idle = batch == nullptr;
            if (idle && mode == CHM_RUN_UNTIL_IDLE && live_.empty()) return CHM_OK;
            reactor_.turn(idle ? -1 : 0);
            while (batch) poll(*std::exchange(batch, batch->next));
        }
        queue_->close();
        live_.drop_all();
        return CHM_E_CANCELED;
    }
    void stop() noexcept {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        reactor_.interrupt();
    }
    const void* extension(std::string_view id) noexcept {
        return id == CHM_EXT_REACTOR ? static_cast<chm_reactor*>(&reactor_) : nullptr;
    }

  private:
    bool stopped() const noexcept {
        const std::lock_guard lock(mutex_);
        return stopped_;
    }
    void poll(sdk::task_cell& cell) noexcept {
        if (stopped()) return cell.release();
        switch (cell.run()) {
        case sdk::task_cell::outcome::again:
            return queue_->schedule(cell);
        case sdk::task_cell::outcome::done:
            live_.remove(cell);
            return;
        case sdk::task_cell::outcome::idle:
            return;
        }
    }

    sdk::epoll_reactor reactor_;
    ready_queue* queue_;
    sdk::live_tasks live_;
    mutable std::mutex mutex_;
    bool stopped_ = false;
};

} // namespace chimera::conformance
