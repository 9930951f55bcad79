// A chimera-sim of our own: started, asked for its address, and gone when we are gone.
#pragma once

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/types.h>

namespace chimera::host {

/// A simulator did not start.
class simulator_error : public std::runtime_error {
  public:
    simulator_error(const std::string& what, bool bad_options) : std::runtime_error(what), bad_options_(bad_options) {}
    /// It refused its options; it has said which on standard error.
    bool bad_options() const noexcept { return bad_options_; }

  private:
    bool bad_options_;
};

/// A running simulator process. It ends when this object is destroyed, and also when this process dies in whatever way:
/// it watches its standard input, whose other end is held here.
class simulator_process {
  public:
    /// Starts `program` with --exit-with-parent and the given arguments and waits until it listens, 10 s at most.
    /// Throws std::runtime_error with what the program said.
    simulator_process(const std::filesystem::path& program, const std::vector<std::string>& arguments);
    simulator_process(simulator_process&& o) noexcept;
    simulator_process& operator=(simulator_process&& o) noexcept;
    ~simulator_process();

    /// "http://127.0.0.1:PORT".
    const std::string& url() const noexcept { return url_; }

  private:
    sdk::owned_fd stdin_;
    pid_t pid_ = -1;
    std::string url_;
};

} // namespace chimera::host
