// Runs a sweep from its first cell to its last, each in a process of its own. A cell's results are on disk before the
// next cell begins.
#pragma once

#include "sweep/definition.hpp"
#include "sweep/journal.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace chimera::host {

struct sweep_settings {
    std::filesystem::path folder;       ///< <output>/<name>: journal, sweep.json and runs
    std::filesystem::path program;      ///< chimera-host
    std::vector<std::string> arguments; ///< for every cell's `run`
    std::vector<sweep_cell> cells;      ///< in their order
    bool resume = false;
    int jobs = 1;        ///< cells at a time
    std::string api_key; ///< for the servers; cells get it in their environment
    std::function<void(const std::string&)>
        warned{}; ///< called with what was lost or changed, and what is done about it
};

struct sweep_progress {
    std::size_t done = 0, of = 0; ///< cells, including the cells of earlier tries
    double eta_s = 0;             ///< from the mean of the cells so far; 0: not known
};

enum class sweep_end { complete, interrupted };

/// The cells of this sweep that are ok in the folder's journal, but have a file that is missing, damaged or replaced.
/// Maps the name of the cell's folder to the fault. Changes nothing. Throws std::runtime_error when the journal cannot
/// be read.
std::map<std::string, std::string> lost_cells(const sweep_definition&, const sweep_settings&);

/// [take_over_signals was called] Runs the cells that are not in the folder's journal yet. Writes a journal entry for
/// each cell and calls `told` with it; a cell that crashes, hangs or fails gets an entry like any other. SIGINT and
/// SIGTERM end the cells in progress, which then count as not run.
///
/// The cells of lost_cells() are run again. The rest of such a run's folder is kept as run_N.damaged, and the cell gets
/// a line "lost" before its new line.
///
/// Throws std::runtime_error, and changes nothing, when the folder holds a sweep and `resume` is false, or holds cells
/// of another sweep or another configuration. Throws std::system_error when the folder cannot be written.
sweep_end run_sweep(const sweep_definition&, const sweep_settings&,
                    const std::function<void(const cell_result&, const sweep_progress&)>& told,
                    std::vector<cell_result>& entries);

} // namespace chimera::host
