// Runs a sweep from its first cell to its last, each in a process of its own. A cell's results are on disk before the
// next cell begins.
#pragma once

#include "sweep/definition.hpp"
#include "sweep/journal.hpp"
#include "sweep/status.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

struct sweep_settings {
    std::filesystem::path folder;       ///< <output>/<name>: journal, sweep.json and runs
    std::filesystem::path program;      ///< chimera-host
    std::vector<std::string> arguments; ///< for every cell's `run`
    std::vector<sweep_cell> cells;      ///< in their order
    bool resume = false;
    bool retry_failed = false; ///< with resume: cells that failed, crashed or timed out are run again
    int jobs = 1;              ///< cells at a time
    std::string api_key;       ///< for the servers; cells get it in their environment
};

struct sweep_progress {
    std::size_t done = 0, of = 0;     ///< cells, including the cells of earlier tries
    std::optional<double> expected_s; ///< for the rest, from the cells so far; nothing: not known
};

/// What others are told while a sweep runs, on its thread. Each may be empty.
struct sweep_events {
    /// The sweep has looked at its folder and begins: how far earlier tries came.
    std::function<void(const sweep_progress&)> begun;
    /// A line of the journal was written: a cell has ended.
    std::function<void(const cell_result&, const sweep_progress&)> told;
    /// What was lost or changed, and what is done about it; a server that went away, or is back.
    std::function<void(const std::string&)> warned;
    /// What the sweep does has changed. The same is in running.json.
    std::function<void(const sweep_now&)> changed;
};

enum class sweep_end {
    complete,
    interrupted, ///< by a signal
    server_gone  ///< a server was away for longer than sweep.wait_for_server_s
};

/// Throws std::runtime_error when the folder holds a sweep and `resume` is false.
void check_folder(const sweep_settings&);

/// [take_over_signals was called] Runs the cells that are not in the folder's journal yet. Writes a journal entry for
/// each cell; a cell that crashes, hangs or fails gets an entry like any other. SIGINT and SIGTERM end the cells in
/// progress, which then count as not run. entries: of the wanted cells, at the end.
///
/// Cells whose files are missing, damaged or replaced are run again. The rest of such a run's folder is kept as
/// run_N.damaged, and the cell gets a line "lost" before its new line. With retry_failed, cells that did not succeed
/// are run again too; what is left of them is kept as run_N.failed.
///
/// No cell begins while one of its servers cannot be reached. A cell that failed because its server went away gets a
/// line "interrupted" and is run again, three times at most.
///
/// Throws std::runtime_error, and changes nothing, when the folder holds a sweep and `resume` is false, or holds cells
/// of another sweep or another configuration. Throws std::system_error when the folder cannot be written.
sweep_end run_sweep(const sweep_definition&, const sweep_settings&, const sweep_events&,
                    std::vector<cell_result>& entries);

} // namespace chimera::host
