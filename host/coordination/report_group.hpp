// kind = "report" with a coordinator: the agents merge their reports and vote on them.
#pragma once

#include "agent/agent_group.hpp"
#include "coordination/group_tasks.hpp"

#include <string>
#include <vector>

namespace chimera::host {

class report_group final : public agent_group {
  public:
    /// Both outlive it; records[i] is agent i's alone until the execution has ended.
    report_group(const group_environment& env, std::vector<endpoint_record>& records) : env_(env), records_(records) {}
    sdk::task<std::string> agree(std::size_t agent, std::string report, recorder&) override;
    void give_up(std::size_t agent) override { env_.absent.add(agent); }

  private:
    class meeting;

    const group_environment& env_;
    std::vector<endpoint_record>& records_;
};

} // namespace chimera::host
