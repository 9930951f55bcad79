// The kit's own executor: one thread, one queue, epoll. What transports are tried on when no other executor is given.
#pragma once

#include <cstdint>
#include <mutex>

#include "chimera/sdk/epoll_reactor.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/service.hpp"
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

    chm_rc spawn(chm_task* task, const chm_spawn_opts*) { return take(task, false); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts*) { return take(task, true); }
    static std::uint32_t workers() noexcept { return 1; }
    chm_rc worker_here() const noexcept { return running_here == this ? 0 : CHM_E_AFFINITY; }

    chm_rc run(std::uint32_t mode) {
        const reference_executor* const outer = std::exchange(running_here, this);
        while (!over(mode)) {
            sdk::task_cell* batch = queue_->take_all();
            reactor_.turn(batch ? 0 : -1);
            while (batch) poll(*std::exchange(batch, batch->next));
        }
        queue_->close();
        live_.drop_all();
        running_here = outer;
        return stopped() ? CHM_E_CANCELED : CHM_OK;
    }
    void stop() noexcept {
        const std::lock_guard lock(mutex_);
        if (end_ == end::none) end_ = end::stopped;
        reactor_.interrupt();
    }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR) return static_cast<chm_reactor*>(&reactor_);
        return id == CHM_EXT_SERVICE ? &sdk::service_extension<reference_executor> : nullptr;
    }

  private:
    enum class end { none, idle, stopped };

    chm_rc take(chm_task* task, bool service) {
        const std::lock_guard lock(mutex_);
        if (end_ != end::none) return CHM_E_CANCELED;
        sdk::task_cell* cell = sdk::task_cell::create(*queue_, task, 0, service);
        if (!cell) return CHM_E_NOMEM;
        if (!service) ++alive_;
        live_.add(*cell);
        queue_->schedule(*cell);
        return CHM_OK;
    }
    bool over(std::uint32_t mode) noexcept {
        const std::lock_guard lock(mutex_);
        if (end_ == end::none && mode == CHM_RUN_UNTIL_IDLE && alive_ == 0) end_ = end::idle;
        return end_ != end::none;
    }
    bool stopped() const noexcept {
        const std::lock_guard lock(mutex_);
        return end_ == end::stopped;
    }
    void done(sdk::task_cell& cell) noexcept {
        const bool counted = !cell.service();
        live_.remove(cell);
        const std::lock_guard lock(mutex_);
        if (counted) --alive_;
    }
    void poll(sdk::task_cell& cell) noexcept {
        if (stopped()) return cell.release();
        switch (cell.run()) {
        case sdk::task_cell::outcome::again:
            return queue_->schedule(cell);
        case sdk::task_cell::outcome::done:
            return done(cell);
        case sdk::task_cell::outcome::idle:
            return;
        }
    }

    static inline thread_local const reference_executor* running_here = nullptr;

    sdk::epoll_reactor reactor_;
    ready_queue* queue_;
    sdk::live_tasks live_;
    mutable std::mutex mutex_;
    // Guarded by mutex_.
    std::size_t alive_ = 0; // tasks that are no services
    end end_ = end::none;
};

} // namespace chimera::conformance
