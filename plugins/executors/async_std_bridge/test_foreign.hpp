// A foreign executor for the bridge's tests: one thread that drives an epoll reactor.
#pragma once

#include <mutex>
#include <utility>

#include "chimera/sdk/epoll_reactor.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/task_cell.hpp"

namespace chimera::async_std_bridge_test {

class epoll_executor final : public sdk::executor_base<epoll_executor> {
  public:
    epoll_executor() : shared_(new shared_part) {}
    epoll_executor(const epoll_executor&) = delete;
    epoll_executor& operator=(const epoll_executor&) = delete;
    ~epoll_executor() {
        stop();
        tasks_.drop_all();
        while (sdk::task_cell* cell = shared_->pop()) cell->release();
        shared_->close();
        shared_->release();
    }
    chm_rc spawn(chm_task* task, const chm_spawn_opts*) {
        std::lock_guard lock(gate_);
        if (stopped_) return CHM_E_CANCELED;
        sdk::task_cell* cell = sdk::task_cell::create(*shared_, task);
        tasks_.add(*cell);
        shared_->schedule(*cell);
        return CHM_OK;
    }
    chm_rc run(std::uint32_t) {
        for (;;) {
            while (sdk::task_cell* cell = shared_->pop()) {
                if (stopped()) {
                    cell->release();
                    break;
                }
                const auto outcome = cell->run();
                if (outcome == sdk::task_cell::outcome::again) shared_->schedule(*cell);
                if (outcome == sdk::task_cell::outcome::done) tasks_.remove(*cell);
            }
            if (stopped()) break;
            shared_->reactor.turn(-1);
        }
        tasks_.drop_all();
        return CHM_E_CANCELED;
    }
    void stop() noexcept {
        {
            std::lock_guard lock(gate_);
            stopped_ = true;
        }
        shared_->reactor.interrupt();
    }
    const void* extension(std::string_view id) noexcept { return id == CHM_EXT_REACTOR ? &shared_->reactor : nullptr; }

  private:
    /// Queue and reactor: what wakers need.
    struct shared_part final : sdk::scheduler {
        void schedule(sdk::task_cell& cell) noexcept override {
            std::unique_lock lock(mutex);
            if (closed) {
                lock.unlock();
                return cell.release();
            }
            cell.next = nullptr;
            (last ? last->next : first) = &cell;
            last = &cell;
            reactor.interrupt();
        }
        sdk::task_cell* pop() noexcept {
            std::lock_guard lock(mutex);
            sdk::task_cell* cell = first;
            if (cell && !(first = cell->next)) last = nullptr;
            return cell;
        }
        void close() noexcept {
            std::lock_guard lock(mutex);
            closed = true;
        }
        std::mutex mutex;
        sdk::task_cell* first = nullptr;
        sdk::task_cell* last = nullptr;
        bool closed = false;
        sdk::epoll_reactor reactor;
    };
    bool stopped() noexcept {
        std::lock_guard lock(gate_);
        return stopped_;
    }

    shared_part* shared_;
    sdk::live_tasks tasks_;
    std::mutex gate_;
    bool stopped_ = false;
};

} // namespace chimera::async_std_bridge_test
