// What a sweep finds in its folder: which cells are done, and which are to be run. Nothing is changed by looking.
#pragma once

#include "sweep/definition.hpp"
#include "sweep/expected_time.hpp"
#include "sweep/journal.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chimera::host {

/// A cell that has been run, and is run again.
struct repeated_cell {
    sweep_cell cell;
    std::string why;    ///< one sentence
    std::string ending; ///< what is left of it is renamed: "run_3.damaged", "run_3.failed"
    /// It was ok: it gets a line "lost" before it is run again, so that nobody takes its old line for a result.
    bool lost = false;
};

struct folder_state {
    std::vector<std::pair<sweep_cell, cell_result>> done;     ///< cells with a line that counts
    std::vector<std::pair<sweep_cell, cell_result>> finished; ///< runs that are whole, and have no line yet
    std::vector<repeated_cell> repeated;                      ///< they are in `todo` as well
    std::vector<sweep_cell> todo;                             ///< in the order of the plan
    cell_times times;                                         ///< of every line of the journal

    /// Nothing: no cell has been timed. jobs: cells at a time.
    std::optional<double> expected_s(const sweep_definition&, int jobs) const;
};

/// Looks at the cells `wanted`. entries: of the folder's journal. retry_failed: cells that failed, crashed or timed out
/// are run again. Throws std::runtime_error where the folder holds cells of another sweep or another configuration.
folder_state look_at_folder(const sweep_definition&, const std::filesystem::path& folder,
                            const std::vector<sweep_cell>& wanted, const std::vector<cell_result>& entries,
                            bool retry_failed);

/// Renames what is left of a run, and of its logs: measured data is not deleted. Returns the folder's new name, such as
/// "run_3.damaged" or "run_3.damaged-2"; empty: there was no folder.
std::string set_aside(const std::filesystem::path& group, int run, const std::string& ending);

} // namespace chimera::host
