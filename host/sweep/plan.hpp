// The cells of a sweep in the order in which they are run.
#pragma once

#include "sweep/definition.hpp"

#include <string>
#include <vector>

namespace chimera::host {

/// One run of one runtime in one configuration: what gets a process of its own.
struct sweep_cell {
    std::size_t runtime = 0, config = 0;
    int run = 0; ///< counted from 1

    auto operator<=>(const sweep_cell&) const = default;
};

/// Round by round: in round k every runtime and configuration has its k-th run, in an order drawn from the seed, so
/// that drift of the machine hits all alike, and an interrupted sweep is about as far with each of them.
std::vector<sweep_cell> plan_cells(const sweep_definition&);

/// "smol/chimera_homo_gpu80_ctx512": a folder below the sweep's, and what --only is matched against.
std::string group_name(const sweep_definition&, const sweep_cell&);
/// "smol/chimera_homo_gpu80_ctx512/run_3".
std::string cell_name(const sweep_definition&, const sweep_cell&);

/// Those whose group's or own name matches the shell pattern (fnmatch).
std::vector<sweep_cell> matching(const sweep_definition&, const std::vector<sweep_cell>&, const std::string& glob);

} // namespace chimera::host
