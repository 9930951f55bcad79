#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace chimera::sim::test {

/// A real chimera-sim, started with the given options on a port of its own choosing and ended with the object.
class sim_process {
  public:
    explicit sim_process(const std::vector<std::string>& arguments = {});
    ~sim_process();
    sim_process(const sim_process&) = delete;
    sim_process& operator=(const sim_process&) = delete;

    std::uint16_t port() const { return port_; }
    pid_t pid() const { return pid_; }
    const std::string& first_line() const { return line_; }

    /// Open file descriptors of the process.
    std::size_t open_files() const;

    /// Closes its standard input.
    void close_stdin();

    /// Waits until it ends (at most ten seconds); its exit status, or -1 when it was killed or did not end.
    int wait_for_exit();

    /// SIGTERM and wait_for_exit. What it wrote to stdout after the first line is in rest_of_stdout.
    int terminate();
    std::string rest_of_stdout;

  private:
    pid_t pid_ = -1;
    int stdin_ = -1;
    int stdout_ = -1;
    std::string line_;
    std::uint16_t port_ = 0;
};

/// Runs chimera-sim to its end; for command lines that serve nothing.
struct run_result {
    int status = -1;
    std::string out;
    std::string err;
};
run_result run_sim(const std::vector<std::string>& arguments);

} // namespace chimera::sim::test
