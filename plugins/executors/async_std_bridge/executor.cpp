// The executor: threads that share one queue of tasks and have no I/O of their own, and the entry of the plugin.
#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "bridge.hpp"
#include "chimera/sdk/executor_lifecycle.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/reactor.hpp"
#include "thread_waker.hpp"

namespace chimera::async_std_bridge {

namespace {

class executor final : public sdk::executor_base<executor> {
  public:
    static constexpr std::array schema{
        sdk::int_option("workers", "1", 1, 1024, "Threads that share one queue of tasks"),
        sdk::enum_option("await", "block", "block|wake|channel",
                         "How a task waits for foreign I/O: holding its worker, woken by the foreign reactor, or by a "
                         "channel from a task on the foreign executor"),
        sdk::int_option("yield_every", "0", 0, 1'000'000'000, "Let other tasks run after this many chunks, 0: never"),
        sdk::int_option("channel_capacity", "16", 1, 65536,
                        "With await = channel: chunks that may wait in the channel"),
    };

    executor(const chm_host*, const sdk::options& options)
        : bridging_{options.choice("await") == "block"  ? await_mode::block
                    : options.choice("await") == "wake" ? await_mode::wake
                                                        : await_mode::channel,
                    static_cast<std::uint32_t>(options.integer("yield_every")),
                    static_cast<std::size_t>(options.integer("channel_capacity"))},
          life_(*this, static_cast<std::size_t>(options.integer("workers")), "async_std") {
        thread_wakers_.reserve(workers());
        while (thread_wakers_.size() < workers()) thread_wakers_.emplace_back(new thread_waker(this));
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts, true); }
    std::uint32_t workers() const noexcept { return life_.workers(); }
    chm_rc worker_here() const noexcept { return life_.worker_here(); }
    /// The caller only waits: all workers have threads of their own, known by their names.
    chm_rc run(std::uint32_t mode) { return life_.run(mode, sdk::caller::waits); }
    void stop() noexcept { life_.stop(); }
    /// CHM_EXT_BRIDGE, and no reactor. CHM_EXT_SERVICE unless polls block: a task would hold the worker that has to
    /// poll the service for which it waits.
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_BRIDGE) return &bridge_extension;
        return id == CHM_EXT_SERVICE && bridging_.await != await_mode::block ? &sdk::service_extension<executor>
                                                                             : nullptr;
    }

  private:
    friend sdk::executor_lifecycle<executor>;

    void queue(sdk::task_cell& cell) noexcept {
        const std::lock_guard lock(mutex_);
        cells_.push(cell);
        runnable_.notify_one();
    }
    void interrupt() noexcept {
        for (const auto& w : thread_wakers_) w->stop();
        const std::lock_guard lock(mutex_); // a worker between its look at ended() and its wait holds it
        runnable_.notify_all();
    }
    /// Waits for a task. nullptr: the run is over.
    sdk::task_cell* next() noexcept {
        std::unique_lock lock(mutex_);
        runnable_.wait(lock, [this] { return cells_.front() != nullptr || life_.ended(); });
        return life_.ended() ? nullptr : cells_.pop();
    }
    void begin_worker(std::uint32_t number) noexcept { thread_wakers_[number]->settle(); }
    void work(std::uint32_t) noexcept {
        while (sdk::task_cell* cell = next())
            if (life_.poll(*cell) == sdk::task_cell::outcome::again) queue(*cell);
    }

    chm_transport* bridge_to(chm_executor& foreign, chm_transport& inner) {
        chm_reactor* const reactor = sdk::reactor_of(&foreign);
        if (!reactor) throw sdk::error(CHM_E_NOSYS, "the foreign executor has no reactor");
        if (bridging_.await == await_mode::channel) return make_channel_bridge(foreign, *reactor, inner, bridging_);
        return make_direct_bridge(*this, foreign, *reactor, inner, bridging_);
    }
    static chm_rc wrap(chm_executor* self, chm_executor* foreign, chm_transport* inner, chm_transport** out,
                       chm_error* err) noexcept {
        return sdk::guarded(err, [&]() -> chm_rc {
            *out = static_cast<executor*>(self)->bridge_to(*foreign, *inner);
            return CHM_OK;
        });
    }
    static constexpr chm_bridge_ext bridge_extension{sizeof(chm_bridge_ext), 0, wrap};

    struct release {
        void operator()(thread_waker* w) const noexcept { w->release(); }
    };
    const bridge_settings bridging_;
    std::vector<std::unique_ptr<thread_waker, release>> thread_wakers_; // of each worker
    std::mutex mutex_;
    std::condition_variable runnable_;
    sdk::cell_list cells_; // guarded by mutex_
    sdk::executor_lifecycle<executor> life_;
};

} // namespace

} // namespace chimera::async_std_bridge

CHIMERA_EXECUTOR_PLUGIN(
    "async_std_bridge", "0.1.0",
    "Threads without a reactor, I/O through a bridge to a foreign executor; stands for async-std on tokio",
    chimera::async_std_bridge::executor);
