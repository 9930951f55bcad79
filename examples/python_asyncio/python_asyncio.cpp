// An executor on CPython's asyncio: each poll of a task is one callback of an event loop, which the thread that calls
// run runs inside the interpreter.
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include <chimera/sdk/cell_queue.hpp>
#include <chimera/sdk/gate.hpp>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/service.hpp>

#include "event_loop.hpp"
#include "reactor.hpp"
#include "turns.hpp"

namespace chimera::python_asyncio {

namespace {

class executor;

/// What wakers reach: a way into the executor for as long as that exists.
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

/// Claims that there is one executor in the process. Throws sdk::error (CHM_E_STATE) where there is another.
class only_one {
  public:
    only_one() {
        if (alive_.exchange(true)) throw sdk::error(CHM_E_STATE, "CPython serves one executor at a time");
    }
    only_one(const only_one&) = delete;
    only_one& operator=(const only_one&) = delete;
    ~only_one() { alive_ = false; }

  private:
    static inline std::atomic<bool> alive_{false};
};

class executor final : public sdk::executor_base<executor, CHM_EXECUTOR_PINNED> {
  public:
    static constexpr std::array<chm_option, 0> schema{};
    static constexpr std::uint32_t plugin_flags = CHM_PLUGIN_SINGLE_INSTANCE;

    executor(const chm_host* host, const sdk::options&)
        : loop_((start_interpreter(), host)), reactor_(host, loop_, turns_), box_(new post_box(*this)) {}
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() {
        stop(); // a task that is dropped here cannot spawn another
        const gil held;
        finish();
        box_->release(); // gone with the last waker
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts*) { return take(task, false); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts*) { return take(task, true); }
    std::uint32_t workers() const noexcept { return 1; }
    chm_rc worker_here() const noexcept { return loop_.here() ? 0 : chm_rc{CHM_E_AFFINITY}; }

    chm_rc run(std::uint32_t mode) {
        const gil held;
        settle();
        {
            const std::lock_guard lock(mutex_);
            until_idle_ = mode == CHM_RUN_UNTIL_IDLE;
            end_if_idle();
        }
        std::string broken;
        try {
            if (!over()) loop_.run_forever();
            if (!over()) broken = "the asyncio loop was stopped by somebody else";
        } catch (const sdk::error& e) {
            broken = e.what();
        }
        bool stopped = false;
        {
            const std::lock_guard lock(mutex_); // a stop that is under way has rung: it touches nothing any more
            over_ = true;
            stopped = stopped_;
        }
        finish();
        if (!broken.empty()) throw sdk::error(CHM_E_FAIL, broken);
        return stopped ? CHM_E_CANCELED : CHM_OK;
    }

    void stop() noexcept {
        const std::lock_guard lock(mutex_);
        if (!over()) stopped_ = true;
        over_ = true;
        ring();
    }

    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR) return static_cast<chm_reactor*>(&reactor_);
        return id == CHM_EXT_SERVICE ? &sdk::service_extension<executor> : nullptr;
    }

    /// [any thread, until the box is closed] Takes over the queue's reference. Takes the GIL nowhere: the loop's own
    /// thread has it, and the others leave the cell and ring.
    void queue(sdk::task_cell& cell) noexcept {
        if (loop_.here()) return append(cell);
        mail_.push(cell);
        if (!rung_.exchange(true)) ring();
    }

  private:
    bool over() const noexcept { return over_.load(std::memory_order_acquire); }
    void ring() noexcept { ::eventfd_write(bell_.get(), 1); }

    chm_rc take(chm_task* task, bool service) noexcept {
        sdk::task_cell* cell = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (over()) return CHM_E_CANCELED;
            cell = sdk::task_cell::create(*box_, task, 0, service);
            if (!cell) return CHM_E_NOMEM;
            live_.add(*cell);
            if (!service) ++alive_;
        }
        box_->schedule(*cell);
        return CHM_OK;
    }
    void end_if_idle() noexcept { // under the lock, so that no spawn comes between the look and the end
        if (until_idle_ && alive_ == 0) over_ = true;
    }

    // --- the thread that runs the loop, under the GIL ---

    /// Throws sdk::error: nothing was polled.
    void settle() {
        poll_one_ = callable<&executor::poll_one>(*this);
        answer_ = callable<&executor::answer_bell>(*this);
        if (!poll_one_ || !answer_) throw sdk::error(CHM_E_NOMEM, take_error());
        if (!loop_.add_reader(bell_.get(), answer_) || !reactor_.open())
            throw sdk::error(CHM_E_FAIL, "asyncio cannot watch its own descriptors: the log says why");
        loop_.settle();
    }

    /// A callback of asyncio.
    void poll_one() noexcept {
        turns_.called();
        if (sdk::task_cell* const cell = over() ? nullptr : ready_.pop()) {
            switch (cell->run()) {
            case sdk::task_cell::outcome::idle:
                break;
            case sdk::task_cell::outcome::again:
                append(*cell);
                break;
            case sdk::task_cell::outcome::done:
                leave(*cell);
                break;
            }
        }
        if (over()) loop_.stop();
    }
    /// Another: somebody has left mail, or has stopped us.
    void answer_bell() noexcept {
        eventfd_t rings = 0;
        ::eventfd_read(bell_.get(), &rings);
        rung_.exchange(false); // before the look: who leaves a cell after it rings again
        sdk::cell_list mail;
        mail_.pop_into(mail);
        while (sdk::task_cell* const cell = mail.pop()) append(*cell);
        call_for_all();
        if (over()) loop_.stop();
    }

    void append(sdk::task_cell& cell) noexcept {
        if (over()) return cell.release(); // its task is dropped with the others
        ready_.push(cell);
        ++uncalled_;
        call_for_all();
    }
    /// One callback for each cell that is ready, in the same order.
    void call_for_all() noexcept {
        for (; uncalled_ > 0; --uncalled_) {
            if (!loop_.call_soon(poll_one_)) return ring(); // out of memory: tried again in the next turn
            turns_.queued();
        }
    }
    void leave(sdk::task_cell& cell) noexcept {
        const bool counted = !cell.service();
        live_.remove(cell);
        const std::lock_guard lock(mutex_);
        if (counted) --alive_;
        end_if_idle();
    }

    /// [over, or never run] Nothing is left when it returns.
    void finish() noexcept {
        live_.drop_all();
        box_->close();
        while (sdk::task_cell* const cell = ready_.pop()) cell->release();
        sdk::cell_list mail;
        mail_.pop_into(mail);
        while (sdk::task_cell* const cell = mail.pop()) cell->release();
        reactor_.close();
        if (answer_) loop_.remove_reader(bell_.get());
        answer_ = ref();
        poll_one_ = ref();
        loop_.leave();
    }

    const only_one claim_;
    const sdk::owned_fd bell_ = sdk::owned_fd::checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");

    // Any thread.
    sdk::cell_inbox mail_;
    std::atomic<bool> rung_{false};
    sdk::live_tasks live_;
    std::mutex mutex_;
    std::atomic<bool> over_{false}; // no task is taken, none is polled; written under mutex_
    bool stopped_ = false;          // by stop
    bool until_idle_ = false;
    std::size_t alive_ = 0; // tasks that are no services

    // The thread that runs the loop.
    event_loop loop_;
    turns turns_;
    sdk::cell_list ready_;
    std::size_t uncalled_ = 0; // cells at the end of ready_ for which asyncio has no callback yet
    ref poll_one_, answer_;
    reactor reactor_;

    post_box* const box_;
};

void post_box::schedule(sdk::task_cell& cell) noexcept {
    if (!gate_.enter()) return cell.release();
    to_.queue(cell);
    gate_.leave();
}

} // namespace

} // namespace chimera::python_asyncio

CHIMERA_EXECUTOR_PLUGIN("python_asyncio", "1.0",
                        "CPython's asyncio: its event loop and its reactor, inside the interpreter",
                        chimera::python_asyncio::executor);
