// cells.jsonl: which cells of a sweep are done. What is in it survives the process, the machine and a full disk.
#pragma once

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

enum class cell_status {
    ok,
    failed,     ///< the process ended by itself and said what went wrong
    crashed,    ///< a signal ended it
    timed_out,  ///< it was killed at the time limit
    not_needed, ///< never run: the runs before it were enough (until_ci_pct)
    lost        ///< it was ok, but its files are gone or damaged: it is to be run again
};

/// "ok", "failed", "crashed", "timed_out", "not_needed", "lost".
std::string_view name_of(cell_status) noexcept;

/// One line.
struct journal_entry {
    std::string runtime, config;
    int run = 0;
    std::string config_hash;
    cell_status status = cell_status::ok;
    std::string message; ///< why it is not ok
    std::optional<int> exit_status;
    std::optional<double> wall_s;         ///< nothing: the sweep was killed before it could say
    std::optional<double> efficiency_pct; ///< the run's, or its estimate where no agent ran alone
    std::string metrics_crc32;            ///< the seal of the run's metrics.json; empty: it has none
};

/// "pool/plain/run_3": the cell's folder below the sweep's.
std::string folder_of(const journal_entry&);

/// What the lines of <folder>/cells.jsonl say, for one who only looks; nothing where there is no such file. The last
/// line of a cell counts, and one that was cut off does not. Throws std::runtime_error that names the file and the
/// line.
std::vector<journal_entry> read_journal(const std::filesystem::path& folder);

/// The journal of one sweep folder, held by one process at a time.
class sweep_journal {
  public:
    /// Opens or makes <folder>/cells.jsonl, locks it and reads what is there. A last line that was cut off is removed:
    /// its cell was not finished. Throws std::runtime_error that names the file and the line (a line that is none, the
    /// lock of another process) or std::system_error.
    explicit sweep_journal(const std::filesystem::path& folder);

    /// One for each cell: what its last line says, in the order of these lines.
    const std::vector<journal_entry>& entries() const noexcept { return entries_; }
    /// Appends a line and syncs it. When it cannot be written whole, what was written of it is taken back. Throws
    /// std::system_error naming the file, and as check_there() does.
    void append(journal_entry);
    /// Throws std::runtime_error where the file was removed since it was opened.
    void check_there() const;

  private:
    std::filesystem::path file_;
    sdk::owned_fd fd_;
    std::vector<journal_entry> entries_;
};

} // namespace chimera::host
