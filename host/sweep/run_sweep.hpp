// A sweep from its first cell to its last: each in a process of its own, each on disk before the next begins.
#pragma once

#include "sweep/journal.hpp"
#include "sweep/plan.hpp"

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
    int jobs = 1;                                     ///< cells at a time
    std::string api_key;                              ///< for the servers; cells get it in their environment
    std::function<void(const std::string&)> warned{}; ///< is told what was lost or changed, and what is done about it
};

struct sweep_progress {
    std::size_t done = 0, of = 0; ///< cells, those of earlier tries included
    double eta_s = 0;             ///< from the mean of the cells so far; 0: not known
};

enum class sweep_end { complete, interrupted };

/// What is wrong with the cells of this sweep that the folder's journal calls ok, by the names of their folders: a file
/// of theirs is missing, damaged, or not the one that was recorded. Changes nothing. Throws std::runtime_error where
/// the journal cannot be read.
std::map<std::string, std::string> lost_cells(const sweep_definition&, const sweep_settings&);

/// Runs the cells that the folder's journal does not have yet, and those of lost_cells() again: what is left of such a
/// run's folder is kept as run_N.damaged, and the cell gets a line "lost" before its new one. Writes a journal entry
/// for each, and tells each of them. [take_over_signals was called] SIGINT and SIGTERM end the cells in progress, which
/// then count as not run. A cell that crashes, hangs or fails is an entry like any other. Throws std::runtime_error
/// when the folder holds a sweep and `resume` is false, or one whose cells are configured otherwise or are none of this
/// sweep (then nothing is changed), and std::system_error when it cannot be written.
sweep_end run_sweep(const sweep_definition&, const sweep_settings&,
                    const std::function<void(const cell_result&, const sweep_progress&)>& told,
                    std::vector<cell_result>& entries);

} // namespace chimera::host
