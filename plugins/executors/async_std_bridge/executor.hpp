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

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts);
    chm_rc run(std::uint32_t mode);
    void stop() noexcept;
    /// CHM_EXT_BRIDGE, and no reactor.
    const void* extension(std::string_view id) noexcept;

    const bridge_settings& bridging() const noexcept { return bridging_; }

  private:
    void work(std::size_t index) noexcept;
    void release_all() noexcept;

    bridge_settings bridging_;
    run_queue* queue_;
    std::vector<thread_waker*> thread_wakers_; // one for each worker
    std::atomic<std::size_t> working_{0};
};

} // namespace chimera::async_std_bridge
