// What an execution takes of the machine.
#pragma once

#include "provenance/provenance.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include <sys/resource.h>

namespace chimera::host {

/// Measures from its construction to finish(). The peak of the process's resident memory is reset at construction where
/// the kernel allows it, so two meters must not run at the same time.
class cost_meter {
  public:
    cost_meter();
    /// first_polled: when the first agent was polled, in ns of CLOCK_MONOTONIC; 0 where none was.
    execution_cost finish(std::uint64_t first_polled) const;

  private:
    /// The CPU time of the machine since it was started, in ticks.
    struct machine_time {
        std::uint64_t all = 0, stolen = 0;
    };
    static std::optional<machine_time> read_machine_time();

    std::string begun_;
    std::uint64_t begin_ns_;
    bool peak_was_reset_;
    std::optional<machine_time> machine_;
    rusage process_{};
};

} // namespace chimera::host
