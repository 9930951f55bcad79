// An executor with a known delay: one worker that polls a task a set time after it became runnable, as soon as two
// tasks were spawned. Alone, a task is polled at once. So an agent's baseline is clean and the delay of its concurrent
// execution is known.
#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/epoll_reactor.hpp>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/task_cell.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <string_view>
#include <thread>

namespace {

using namespace chimera::sdk;

class delayed_queue final : public scheduler {
  public:
    void schedule(task_cell& cell) noexcept override {
        const std::lock_guard lock(mutex_);
        if (closed_) {
            cell.release();
            return;
        }
        waiting_.push_back({now_ns(), &cell});
    }
    /// The cell that has been runnable for `delay` ns, null while there is none.
    task_cell* due(std::uint64_t delay) {
        const std::lock_guard lock(mutex_);
        if (waiting_.empty() || now_ns() < waiting_.front().since + delay) return nullptr;
        task_cell* cell = waiting_.front().cell;
        waiting_.pop_front();
        return cell;
    }
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        for (const entry& e : waiting_) e.cell->release();
        waiting_.clear();
    }

  private:
    struct entry {
        std::uint64_t since;
        task_cell* cell;
    };
    std::mutex mutex_;
    std::deque<entry> waiting_; // guarded by mutex_
    bool closed_ = false;       // guarded by mutex_
};

class delaying_executor final : public executor_base<delaying_executor> {
  public:
    static constexpr std::array schema{int_option("delay_ms", "0", 0, 10'000, "Time from runnable to polled")};

    delaying_executor(const chm_host*, const options& o)
        : delay_ns_(static_cast<std::uint64_t>(o.integer("delay_ms")) * 1'000'000U) {}
    ~delaying_executor() {
        live_.drop_all();
        queue_->close();
        queue_->release();
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts*) {
        task_cell* cell = task_cell::create(*queue_, task);
        if (cell == nullptr) return CHM_E_NOMEM;
        live_.add(*cell);
        ++spawned_;
        queue_->schedule(*cell);
        return CHM_OK;
    }
    chm_rc run(std::uint32_t mode) {
        while (!stopped_ && !(mode == CHM_RUN_UNTIL_IDLE && live_.empty())) {
            task_cell* cell = queue_->due(spawned_ > 1 ? delay_ns_ : 0);
            if (cell == nullptr) {
                std::this_thread::sleep_for(std::chrono::microseconds(50));
                reactor_.turn(0);
                continue;
            }
            switch (cell->run()) {
            case task_cell::outcome::again:
                queue_->schedule(*cell);
                break;
            case task_cell::outcome::done:
                live_.remove(*cell);
                break;
            case task_cell::outcome::idle:
                break;
            }
        }
        if (!stopped_) return CHM_OK;
        live_.drop_all();
        return CHM_E_CANCELED;
    }
    void stop() noexcept { stopped_ = true; }
    const void* extension(std::string_view id) noexcept { return id == CHM_EXT_REACTOR ? &reactor_ : nullptr; }

  private:
    const std::uint64_t delay_ns_;
    epoll_reactor reactor_;
    delayed_queue* queue_ = new delayed_queue;
    live_tasks live_;
    std::atomic<int> spawned_{0};
    std::atomic<bool> stopped_{false};
};

} // namespace

CHIMERA_EXECUTOR_PLUGIN("delaying_executor", "1", "Polls late by a set time, for tests", delaying_executor);
