// One cell of a sweep in a process of its own.
#pragma once

#include "result/run_folder.hpp"
#include "sweep/journal.hpp"
#include "sweep/limited_child.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// Exit status of a cell whose results could not be written: the sweep cannot go on, the cell is not done.
inline constexpr int cannot_write_status = 74; // EX_IOERR of sysexits.h
/// Exit status of a cell that reached its time limit and ended in order.
inline constexpr int timed_out_status = 75; // EX_TEMPFAIL

/// A running cell. It ends with this process, however this process ends, and so do its simulators.
class cell_process {
  public:
    /// Starts `program run --profile <group>/profile.toml --cell <run>` with the arguments `more`. A key that is not
    /// empty goes into its environment. Its output goes to <group>/logs/run_<run>.{json,err}. Throws std::system_error.
    cell_process(const std::filesystem::path& program, const std::filesystem::path& group, int run,
                 const std::vector<std::string>& more, const std::string& api_key, double time_limit_s);

    /// Readable when the process has ended.
    int end_fd() const noexcept { return child_.end_fd(); }
    std::chrono::steady_clock::time_point deadline() const noexcept { return child_.deadline(); }
    /// Kills it because its time is over.
    void time_out() { child_.time_out(); }

    /// [once, after it has ended or was timed out] Its status, message, exit status and time, and the run's efficiency
    /// from its metrics.json. Throws std::runtime_error when it ended with cannot_write_status, or succeeded and its
    /// files are missing or cut short.
    cell_result collect();

  private:
    pid_t start(const std::filesystem::path& program, const std::vector<std::string>& more, const std::string& api_key);

    std::filesystem::path group_;
    int run_ = 0;
    double time_limit_s_ = 0;
    std::chrono::steady_clock::time_point begin_;
    sdk::owned_fd stdin_; // its end tells the cell that this process is gone
    limited_child child_; // last: start() needs the others
};

/// A run as it is on disk. `entry` is valid if the run is there without a fault: ok or failed, the configuration, the
/// efficiency and the seal of its metrics.json.
struct cell_on_disk {
    bool there = false; ///< metrics.json is there: the run was finished
    std::string fault;  ///< "FILE: what is wrong; what to do": its files were changed since they were written
    cell_result entry;
};

/// Reads <group>/run_<run> and checks its files against these claims.
cell_on_disk look_at_run(const std::filesystem::path& group, int run, run_claims = {});

/// The alerts that tripped in a run, as its process said them in <group>/logs/run_<run>.json; empty where it did not.
std::vector<alert_result> tripped_alerts(const std::filesystem::path& group, int run);

/// Whether a request of the run got no connection though another one did: its server was away, for a moment at least.
/// Where no request has one, nothing is known: the transport may not say when it connects (CHM_EXT_TIMING), or cannot
/// connect at all.
bool found_no_server(const std::filesystem::path& group, int run);

/// [in the cell's process, once, at its start] Has the kernel kill this process when the sweep's process ends.
void die_with_parent();

} // namespace chimera::host
