// The tasks of a group: the hub, which answers messages, and the members, which cycle.
#pragma once

#include "agent/agent_waits.hpp"
#include "coordination/group_setup.hpp"
#include "measure/coordination_record.hpp"
#include "measure/recorder.hpp"
#include "profile/profile.hpp"

#include <chimera/abi/coordinator.h>
#include <chimera/sdk/task.hpp>
#include <chimera/sdk/waker.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The hub's address, for members that begin before it is known. Any thread.
class hub_address {
  public:
    /// The first call counts. why: not empty: there will be no address.
    void publish(std::string_view address, std::string_view why = {});

    class [[nodiscard]] known final : public sdk::awaitable {
      public:
        explicit known(hub_address& of) noexcept : of_(of) {}
        bool poll(chm_waker*) override;
        /// Throws std::runtime_error if there will be none.
        std::string await_resume() const;

      private:
        hub_address& of_;
    };

  private:
    std::mutex mutex_;
    bool is_known_ = false;
    std::string address_, why_;
    std::vector<sdk::waker> waiting_;
};

/// Agents that will not come to their group, because they failed before. Any thread.
class absent_agents {
  public:
    explicit absent_agents(std::size_t agents) : gone_(agents) {}
    void add(std::size_t agent) { gone_.at(agent).store(true, std::memory_order_relaxed); }
    bool has(std::size_t agent) const { return gone_.at(agent).load(std::memory_order_relaxed); }

  private:
    std::vector<std::atomic<bool>> gone_;
};

/// How often a task that waits for others looks whether they will come at all.
inline constexpr std::uint64_t look_for_absent_ns = 100'000'000;

/// What the tasks of a group share. Outlives them.
struct group_environment {
    const profile& what;
    const group_setup& group;
    chm_coordinator* coordinator;
    chm_executor* executor;
    chm_reactor* reactor; ///< may be null
    hub_address& address;
    think_timer& thinking;
    absent_agents& absent;
};

/// Its record and its log are the task's own until it has ended. A failure is in the record, not thrown.
sdk::task<void> run_hub(const group_environment&, endpoint_record& out, recorder& log);
/// As run_hub; a failure is in log.record().error. kind = "coordination".
sdk::task<void> run_member(const group_environment&, std::int32_t number, endpoint_record& out, recorder& log);

} // namespace chimera::host
