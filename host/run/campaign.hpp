// A profile's runs: warm-up, and for each run every agent alone and all of them together.
#pragma once

#include "measure/timeline.hpp"
#include "run/execution.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// One execution of the plan.
struct planned_execution {
    int run = 0;                     ///< counted from 1; 0: a warm-up
    std::vector<std::size_t> agents; ///< one agent alone, or all
    bool concurrent = false;
};

/// All executions in their order. For each run the seed decides whether the agents run alone first or together first:
/// drift of the machine then affects both alike. A warm-up is a concurrent execution that is not recorded.
/// only: plan just this one of the measured runs, exactly as it is in the whole plan.
std::vector<planned_execution> plan_executions(const profile&, std::optional<int> only = std::nullopt);

/// Called on the thread that runs the campaign.
struct campaign_events {
    std::function<void(const planned_execution&, std::size_t index, std::size_t of)> begins;
    /// An execution has ended, or was stopped.
    std::function<void(const planned_execution&, execution_record&)> execution_done;
    /// A run has ended; it is the last one of `done`. Write it to disk here. Its number may be changed.
    std::function<void(std::vector<run_record>& done)> run_done;
};

/// Runs plan_executions(setup.what, only). Ends early when the control is stopped, and after a run in which every
/// request failed: the next run would fail as well. Throws as execute() does. The completed runs are in `done` even
/// then.
void run_campaign(const execution_setup&, execution_control&, const campaign_events&, std::vector<run_record>& done,
                  std::optional<int> only = std::nullopt);

} // namespace chimera::host
