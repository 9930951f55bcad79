// An executor on CPython's asyncio: each poll of a task is one callback of an event loop, which the thread that calls
// run runs inside the interpreter.
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include <chimera/sdk/executor_lifecycle.hpp>
#include <chimera/sdk/plugin.hpp>

#include "event_loop.hpp"
#include "reactor.hpp"
#include "turns.hpp"

namespace chimera::python_asyncio {

namespace {

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
        : loop_((start_interpreter(), host)), reactor_(host, loop_, turns_), life_(*this, 1) {}
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() {
        const gil held;
        life_.close();
        unwatch();
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts, true); }
    std::uint32_t workers() const noexcept { return 1; }
    chm_rc worker_here() const noexcept { return life_.worker_here(); }

    chm_rc run(std::uint32_t mode) {
        const gil held;
        const chm_rc rc = life_.run(mode);
        // Unlike another failed run, this one has polled tasks, and has dropped them.
        if (!broken_.empty()) throw sdk::error(CHM_E_FAIL, broken_);
        return rc;
    }
    void stop() noexcept { life_.stop(); }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR) return static_cast<chm_reactor*>(&reactor_);
        return id == CHM_EXT_SERVICE ? &sdk::service_extension<executor> : nullptr;
    }

  private:
    friend sdk::executor_lifecycle<executor>;

    void ring() noexcept { ::eventfd_write(bell_.get(), 1); }
    void interrupt() noexcept { ring(); }
    /// Takes the GIL nowhere: the loop's own thread has it, and the others leave the cell and ring.
    void queue(sdk::task_cell& cell) noexcept {
        mail_.push(cell);
        if (!rung_.exchange(true)) ring();
    }

    // --- the thread that runs the loop, under the GIL ---

    void queue_here(sdk::task_cell& cell, std::uint32_t) noexcept { append(cell); }

    void begin_worker(std::uint32_t) {
        poll_one_ = callable<&executor::poll_one>(*this);
        answer_ = callable<&executor::answer_bell>(*this);
        if (!poll_one_ || !answer_) throw sdk::error(CHM_E_NOMEM, take_error());
        if (!loop_.add_reader(bell_.get(), answer_) || !reactor_.open())
            throw sdk::error(CHM_E_FAIL, "asyncio cannot watch its own descriptors: the log says why");
        loop_.settle();
    }
    void work(std::uint32_t) noexcept {
        try {
            if (!life_.ended()) loop_.run_forever();
            if (!life_.ended()) broken_ = "the asyncio loop was stopped by somebody else";
        } catch (const sdk::error& e) {
            broken_ = e.what();
        }
    }
    void end_worker(std::uint32_t) noexcept { unwatch(); }
    /// [GIL; no callback is running] Nothing of this executor is left in the loop.
    void unwatch() noexcept {
        reactor_.close();
        if (answer_) loop_.remove_reader(bell_.get());
        answer_ = ref();
        poll_one_ = ref();
        loop_.leave();
    }

    /// A callback of asyncio.
    void poll_one() noexcept {
        turns_.called();
        if (sdk::task_cell* const cell = life_.ended() ? nullptr : ready_.pop())
            if (life_.poll(*cell) == sdk::task_cell::outcome::again) append(*cell);
        if (life_.ended()) loop_.stop();
    }
    /// Another: there is mail, or the run is over.
    void answer_bell() noexcept {
        eventfd_t rings = 0;
        ::eventfd_read(bell_.get(), &rings);
        rung_.exchange(false); // before the look: a thread that leaves a cell after it rings again
        sdk::cell_list mail;
        mail_.pop_into(mail);
        while (sdk::task_cell* const cell = mail.pop()) append(*cell);
        call_for_all();
        if (life_.ended()) loop_.stop();
    }

    void append(sdk::task_cell& cell) noexcept {
        if (life_.ended()) return cell.release(); // its task is dropped with the others
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

    const only_one claim_;
    const sdk::owned_fd bell_ = sdk::owned_fd::checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");

    // Any thread.
    sdk::cell_inbox mail_;
    std::atomic<bool> rung_{false};

    // The thread that runs the loop.
    event_loop loop_;
    turns turns_;
    sdk::cell_list ready_;
    std::size_t uncalled_ = 0; // cells at the end of ready_ for which asyncio has no callback yet
    ref poll_one_, answer_;
    std::string broken_; // why the loop ended before the run was over
    reactor reactor_;

    sdk::executor_lifecycle<executor> life_;
};

} // namespace

} // namespace chimera::python_asyncio

CHIMERA_EXECUTOR_PLUGIN("python_asyncio", "1.0",
                        "CPython's asyncio: its event loop and its reactor, inside the interpreter",
                        chimera::python_asyncio::executor);
