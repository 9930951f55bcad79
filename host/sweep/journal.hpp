// cells.jsonl: which cells of a sweep are done. What is in it survives the process, the machine and a full disk.
#pragma once

#include "result/sweep_result.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// "pool/plain/run_3": the cell's folder below the sweep's.
std::string folder_of(const cell_result&);

/// What the lines of <folder>/cells.jsonl say, for one who only looks; nothing where there is no such file. The last
/// line of a cell counts, and one that was cut off does not. Throws std::runtime_error that names the file and the
/// line.
std::vector<cell_result> read_journal(const std::filesystem::path& folder);

/// The journal of one sweep folder, held by one process at a time.
class sweep_journal {
  public:
    /// Opens or makes <folder>/cells.jsonl, locks it and reads what is there. A last line that was cut off is removed:
    /// its cell was not finished. Throws std::runtime_error that names the file and the line (a line that is none, the
    /// lock of another process) or std::system_error.
    explicit sweep_journal(const std::filesystem::path& folder);

    /// One for each cell: what its last line says, in the order of these lines.
    const std::vector<cell_result>& entries() const noexcept { return entries_; }
    /// Appends a line and syncs it. When it cannot be written whole, what was written of it is taken back. Throws
    /// std::system_error naming the file, and as check_there() does.
    void append(cell_result);
    /// Throws std::runtime_error where the file was removed since it was opened.
    void check_there() const;

  private:
    std::filesystem::path file_;
    sdk::owned_fd fd_;
    std::vector<cell_result> entries_;
};

} // namespace chimera::host
