// A command of the user's that is run before or after a cell, outside of what is measured.
#pragma once

#include <chimera/sdk/owned_fd.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace chimera::host {

/// A command that runs. It ends with this object; what it has left in the background stays.
class hook {
  public:
    /// Runs the line by /bin/sh, with this process's environment and these words ("NAME=value") in it. It reads
    /// nothing; its output goes to the log, which is overwritten. name: "before_cell", for messages. Throws
    /// std::system_error.
    hook(std::string name, const std::string& line, std::filesystem::path log, std::vector<std::string> environment,
         double time_limit_s);
    hook(hook&&) noexcept;
    hook& operator=(hook&&) noexcept;
    /// Ends it and its process group, by force after two seconds.
    ~hook();

    /// Readable when it has ended.
    int end_fd() const noexcept { return pidfd_.get(); }
    std::chrono::steady_clock::time_point deadline() const noexcept { return deadline_; }
    /// Kills it, because its time is over.
    void time_out();
    /// [once, after it has ended or was timed out] Why it failed, with the last line that it printed; empty: it
    /// succeeded.
    std::string collect();

  private:
    std::string name_;
    std::filesystem::path log_;
    double time_limit_s_ = 0;
    std::chrono::steady_clock::time_point deadline_;
    pid_t pid_ = -1;
    bool timed_out_ = false;
    sdk::owned_fd pidfd_;
};

} // namespace chimera::host
