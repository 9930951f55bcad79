// An executor of threads and one queue, with no I/O of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bridge.hpp"
#include "chimera/sdk/plugin.hpp"
#include "run_queue.hpp"
#include "thread_waker.hpp"

namespace chimera::async_std_bridge {

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

    executor(const chm_host* host, const sdk::options& options);
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor();

    chm_rc spawn(chm_task* task, const chm_spawn_opts*) { return take(task, false); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts*) { return take(task, true); }
    std::uint32_t workers() const noexcept { return static_cast<std::uint32_t>(thread_wakers_.size()); }
    chm_rc worker_here() const noexcept;
    chm_rc run(std::uint32_t mode);
    void stop() noexcept;
    /// CHM_EXT_BRIDGE, and no reactor. CHM_EXT_SERVICE unless polls block: a task would hold the worker that has to
    /// poll the service for which it waits.
    const void* extension(std::string_view id) noexcept;

    const bridge_settings& bridging() const noexcept { return bridging_; }

  private:
    chm_rc take(chm_task* task, bool service);
    void work(std::size_t index) noexcept;
    void release_all() noexcept;

    bridge_settings bridging_;
    run_queue* queue_;
    std::vector<thread_waker*> thread_wakers_; // one for each worker
    std::atomic<std::size_t> working_{0};
};

} // namespace chimera::async_std_bridge
