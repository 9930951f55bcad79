// An executor on Boost.Asio: tasks are handlers of one io_context, which `workers` threads run.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <memory>
#include <mutex>

#include <chimera/sdk/crew.hpp>
#include <chimera/sdk/gate.hpp>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/task_cell.hpp>

#include "reactor.hpp"

namespace chimera::asio_example {

namespace {

struct release_cell {
    void operator()(sdk::task_cell* cell) const noexcept { cell->release(); }
};
using queued_cell = std::unique_ptr<sdk::task_cell, release_cell>; // owns the queue's reference

class executor;

/// What wakers reach: a way into the context for as long as that exists.
class post_box final : public sdk::scheduler {
  public:
    explicit post_box(executor& to) noexcept : to_(to) {}
    void schedule(sdk::task_cell& cell) noexcept override;
    void close() noexcept {
        gate_.close();
        gate_.wait_until_empty();
    }

  private:
    sdk::gate gate_;
    executor& to_;
};

class executor final : public sdk::executor_base<executor> {
  public:
    static constexpr std::array schema{
        sdk::int_option("workers", "1", 1, 64, "Threads that run the io_context, the caller of run among them")};

    executor(const chm_host*, const sdk::options& o)
        : workers_(static_cast<std::size_t>(o.integer("workers"))), box_(new post_box(*this)) {}
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() {
        stop(); // a task that is dropped here cannot spawn another
        box_->close();
        live_.drop_all();
        box_->release(); // gone with the last waker
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts*) {
        sdk::task_cell* cell = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (closed_) return CHM_E_CANCELED;
            cell = sdk::task_cell::create(*box_, task);
            if (!cell) return CHM_E_NOMEM;
            cell->retain(); // for this call: it may be polled and dropped at once
            live_.add(*cell);
        }
        box_->schedule(*cell);
        cell->release();
        return CHM_OK;
    }

    chm_rc run(std::uint32_t mode) {
        sdk::crew others(workers_ - 1, [this](std::size_t) { context_.run(); });
        until_idle_ = mode == CHM_RUN_UNTIL_IDLE;
        end_if_idle();
        others.begin();
        context_.run();
        others.join();
        if (!stopped_) return CHM_OK;
        live_.drop_all();
        return CHM_E_CANCELED;
    }

    void stop() noexcept {
        const std::lock_guard lock(mutex_);
        stopped_ = closed_ = true;
        context_.stop();
    }

    const void* extension(std::string_view id) noexcept {
        return id == CHM_EXT_REACTOR ? static_cast<chm_reactor*>(&reactor_) : nullptr;
    }

    void post(queued_cell cell) {
        asio::post(context_, [this, c = std::move(cell)]() mutable { poll(std::move(c)); });
    }

  private:
    void poll(queued_cell cell) noexcept {
        if (stopped_) return;
        switch (sdk::task_cell& c = *cell.release(); c.run()) {
        case sdk::task_cell::outcome::again:
            return box_->schedule(c);
        case sdk::task_cell::outcome::done:
            if (live_.remove(c)) end_if_idle();
            return;
        case sdk::task_cell::outcome::idle:
            return;
        }
    }
    /// Under the lock, so that no spawn comes between the look and the end.
    void end_if_idle() noexcept {
        const std::lock_guard lock(mutex_);
        if (!until_idle_ || !live_.empty()) return;
        closed_ = true;
        context_.stop();
    }

    const std::size_t workers_;
    post_box* const box_;
    sdk::live_tasks live_;
    std::atomic<bool> stopped_{false};
    std::mutex mutex_;
    bool closed_ = false; // no task is taken any more
    bool until_idle_ = false;
    asio::io_context context_;
    const asio::executor_work_guard<asio::io_context::executor_type> stay_{context_.get_executor()};
    reactor reactor_{context_};
};

void post_box::schedule(sdk::task_cell& cell) noexcept {
    queued_cell queued(&cell);
    if (!gate_.enter()) return;
    to_.post(std::move(queued));
    gate_.leave();
}

} // namespace

} // namespace chimera::asio_example

CHIMERA_EXECUTOR_PLUGIN("asio", "1.0", "Boost.Asio's io_context and its reactor", chimera::asio_example::executor);
