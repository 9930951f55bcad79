// A command of the user's that is run before or after a cell, outside of what is measured.
#pragma once

#include "sweep/limited_child.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// A command that runs. It ends with this object; what it has left in the background stays.
class hook {
  public:
    /// Runs the line by /bin/sh, with this process's environment and these words ("NAME=value") in it. It reads
    /// nothing; its output goes to the log, which is overwritten. name: "before_cell", for messages. Throws
    /// std::system_error.
    hook(std::string name, const std::string& line, std::filesystem::path log, std::vector<std::string> environment,
         double time_limit_s);

    /// Readable when it has ended.
    int end_fd() const noexcept { return child_.end_fd(); }
    std::chrono::steady_clock::time_point deadline() const noexcept { return child_.deadline(); }
    /// Kills it, because its time is over.
    void time_out() { child_.time_out(); }
    /// [once, after it has ended or was timed out] Why it failed, with the last line that it printed; empty: it
    /// succeeded.
    std::string collect();

  private:
    std::string name_;
    std::filesystem::path log_;
    double time_limit_s_ = 0;
    limited_child child_;
};

} // namespace chimera::host
