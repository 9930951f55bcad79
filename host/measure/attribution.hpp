// Where the lost agent-time of a run went: an exact split into late start, imbalance and inflation.
#pragma once

#include "measure/path_split.hpp"
#include "measure/timeline.hpp"

#include <optional>
#include <vector>

namespace chimera::host {

/// With C_i = end_i - start_i, M = max C_i, T_i = agent i alone and W = wall time of the concurrent execution,
///     N W - sum(T) = N (W - M)  +  (N M - sum(C))  +  sum(C - T)
///                    late start     imbalance          inflation
/// holds exactly. All in nanoseconds of agent-time; inflation can be negative (the server was quicker).
struct loss_split {
    double agent_time = 0; ///< N W
    double late_start = 0;
    double imbalance = 0;
    std::optional<double> inflation; ///< nothing where no agent ran alone: T is unknown

    /// The late start, by what the agent that ended last was doing before it started; adds up to late_start.
    double late_permit = 0;  ///< waiting for a permit
    double late_blocked = 0; ///< runnable, but not polled
    double late_spawn = 0;   ///< spawning and joining: the rest

    /// The inflation, by the stages of the agents' own paths, each as sum(C) - sum(T) of that stage; adds up to it.
    std::optional<path_split> inflation_by_stage;

    /// A part in percent of the agent-time.
    double percent(double part) const noexcept { return agent_time > 0 ? part / agent_time * 100 : 0; }
};

loss_split split_loss(const run_record&);

/// Figures of one run as docs/measurement defines them.
struct run_figures {
    double wall_ms = 0;
    double estimated_efficiency_pct = 0;   ///< sum(C) / (N W): what TR110-TR115 reported; blind to contention
    double imbalance_bound_pct = 0;        ///< sum(C) / (N M): the most that agents of these lengths can reach
    std::optional<double> sequential_ms;   ///< sum(T)
    std::optional<double> speedup;         ///< sum(T) / W
    std::optional<double> efficiency_pct;  ///< speedup / N
    std::optional<double> inflation_ratio; ///< mean(C_i / T_i)
    bool contention = false;               ///< speedup < 0.75 N and inflation_ratio > 1.05
    loss_split loss;
};

/// Requires a run in which every agent succeeded.
run_figures figures_of(const run_record&);

} // namespace chimera::host
