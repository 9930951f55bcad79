// cells.jsonl: the cells of a sweep that are done. Its lines survive a crash of the process or the machine, and a full
// disk.
#pragma once

#include "result/sweep_result.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// "pool/plain/run_3": the cell's folder below the sweep's.
std::string folder_of(const cell_result&);

/// Reads <folder>/cells.jsonl without changing it; empty where there is no such file. The last line of a cell counts; a
/// line that was cut off does not. Throws std::runtime_error that names the file and the line.
std::vector<cell_result> read_journal(const std::filesystem::path& folder);

/// Whether a sweep runs in this folder: a process holds its journal.
bool journal_is_held(const std::filesystem::path& folder);

/// The journal of one sweep folder, held by one process at a time.
class sweep_journal {
  public:
    /// Opens or creates <folder>/cells.jsonl, locks it and reads it. A last line that was cut off is removed: its cell
    /// was not finished. Throws std::system_error, or std::runtime_error that names the file and the line: for a line
    /// that is not a journal entry, and when another process holds the lock.
    explicit sweep_journal(const std::filesystem::path& folder);

    /// The last line of each cell, in the order of these lines.
    const std::vector<cell_result>& entries() const noexcept { return entries_; }
    /// Appends a line and syncs it. A line that cannot be written completely is removed again. Throws std::system_error
    /// that names the file, and as check_there() does.
    void append(cell_result);
    /// Throws std::runtime_error when the file was removed since it was opened.
    void check_there() const;

  private:
    std::filesystem::path file_;
    sdk::owned_fd fd_;
    std::vector<cell_result> entries_;
};

} // namespace chimera::host
