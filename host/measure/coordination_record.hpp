// What is recorded of a group that coordinates, beside the records of its agents.
#pragma once

#include <chimera/abi/coordinator.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace chimera::host {

/// The work of one endpoint between its first and its last cycle, ns: the time inside polls.
struct endpoint_work {
    std::uint64_t task_ns = 0;   ///< polls of its task, with what the plugin does in calls
    std::uint64_t driver_ns = 0; ///< the plugin's own work outside of them
    std::uint64_t serialize_ns = 0, network_ns = 0, decide_ns = 0; ///< of both
    std::uint64_t messages = 0, frames = 0, writes = 0, bytes = 0, lost = 0;

    endpoint_work& operator+=(const endpoint_work&) noexcept;
};

/// The figures of two moments of an endpoint, subtracted.
endpoint_work work_between(const chm_endpoint_stats& begin, const chm_endpoint_stats& end,
                           std::uint64_t task_ns) noexcept;

/// One decision, as its proposer saw it.
struct decision_sample {
    std::uint32_t level = 0;   ///< CHM_CLASS_*
    std::uint32_t outcome = 0; ///< CHM_APPROVED, ...
    double us = 0;             ///< proposed -> known
};

/// Of one member, or the hub. Owned by its task until that has ended.
struct endpoint_record {
    std::string name;
    std::uint64_t begin = 0, end = 0; ///< of its cycles; 0: none was completed
    std::vector<double> cycles_ms;
    std::vector<double> round_trips_us; ///< message sent -> answer read
    std::vector<decision_sample> decisions;
    double messages_ms = 0, decisions_ms = 0; ///< the two phases of all its cycles
    endpoint_work work;
    std::uint64_t joins = 0; ///< more than one: the hub was lost in between
    std::uint64_t equivocations = 0;
    std::string error; ///< of the hub; a member's is in its agent_record
};

/// All endpoints of an execution that ran in this process.
struct coordination_record {
    std::vector<endpoint_record> members;
    endpoint_record hub; ///< without a name: it ran elsewhere
};

/// The group's figures; ms for 100 cycles of all members. Of kind = "coordination".
struct coordination_figures {
    double total_ms = 0;                      ///< wall time
    double messages_ms = 0, decisions_ms = 0; ///< wall time of the phases, mean of the members
    double handling_ms = 0, consensus_ms = 0, network_ms = 0, serialization_ms = 0; ///< work of all endpoints
    std::size_t decisions = 0, aborted = 0; ///< of those that were proposed here
    double wait_ms = 0; ///< total without these: nobody in this process worked. 0 where they overlap by more
};
coordination_figures figures_of(const coordination_record&) noexcept;

} // namespace chimera::host
