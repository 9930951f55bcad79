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
    failed,    ///< the process ended by itself and said what went wrong
    crashed,   ///< a signal ended it
    timed_out, ///< it was killed at the time limit
    not_needed ///< never run: the runs before it were enough (until_ci_pct)
};

/// "ok", "failed", "crashed", "timed_out", "not_needed".
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
};

/// The journal of one sweep folder, held by one process at a time.
class sweep_journal {
  public:
    /// Opens or makes <folder>/cells.jsonl, locks it and reads what is there. A last line that was cut off is removed:
    /// its cell was not finished. Throws std::runtime_error that names the file and the line (a line that is none, the
    /// lock of another process) or std::system_error.
    explicit sweep_journal(const std::filesystem::path& folder);

    const std::vector<journal_entry>& entries() const noexcept { return entries_; }
    /// Appends a line and syncs it. When it cannot be written whole, what was written of it is taken back. Throws
    /// std::system_error naming the file.
    void append(journal_entry);

  private:
    std::filesystem::path file_;
    sdk::owned_fd fd_;
    std::vector<journal_entry> entries_;
};

} // namespace chimera::host
