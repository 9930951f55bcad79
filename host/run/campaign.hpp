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

/// Every execution in its order. Whether a run begins with the agents alone or with all together is drawn from the
/// seed, run by run, so that drift hits both alike. A warm-up is a concurrent execution that is not recorded.
/// only: of the measured runs, this one alone, as it would be among the others.
std::vector<planned_execution> plan_executions(const profile&, std::optional<int> only = std::nullopt);

/// What a campaign tells about itself. Called on the thread that runs it.
struct campaign_events {
    std::function<void(const planned_execution&, std::size_t index, std::size_t of)> begins;
    /// An execution has ended, perhaps because it was stopped.
    std::function<void(const planned_execution&, execution_record&)> execution_done;
    /// A run has ended and is the last one of `done`: the place to write it to disk. It may be given another number.
    std::function<void(std::vector<run_record>& done)> run_done;
};

/// Runs plan_executions(setup.what, only) until its end, until the control is stopped, or until a run in which every
/// request failed: there is no point in failing again. The runs that were completed are in `done`, also when it throws
/// as execute() does.
void run_campaign(const execution_setup&, execution_control&, const campaign_events&, std::vector<run_record>& done,
                  std::optional<int> only = std::nullopt);

} // namespace chimera::host
