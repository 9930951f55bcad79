// The servers that a profile's agents talk to: the URLs that it names, and simulators for the other agents.
#pragma once

#include "profile/profile.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/types.h>

namespace chimera::host {

/// A simulator did not start.
class simulator_error : public std::runtime_error {
  public:
    simulator_error(const std::string& what, bool bad_options) : std::runtime_error(what), bad_options_(bad_options) {}
    /// It refused its options, and said which on standard error.
    bool bad_options() const noexcept { return bad_options_; }

  private:
    bool bad_options_;
};

/// A running chimera-sim. It ends when this object is destroyed. It also ends when this process dies in any way,
/// because it watches its standard input, and this object holds the other end.
class simulator_process {
  public:
    /// Starts `program` with --exit-with-parent and the arguments, and waits up to 10 s until it listens. Throws
    /// simulator_error with the program's message.
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

/// The server of every agent, alive as long as this object.
class server_pool {
  public:
    /// Starts the simulators that the profile needs. simulator: the program. Throws std::runtime_error.
    server_pool(const profile&, const std::filesystem::path& simulator);

    /// The base URL of agent number i.
    const std::string& url(std::size_t agent) const { return *urls_.at(agent); }
    /// The number of simulators that were started.
    std::size_t simulators() const noexcept { return simulators_.size(); }

  private:
    std::vector<simulator_process> simulators_;
    std::set<std::string> distinct_urls_; ///< few: thousands of agents share them
    std::vector<const std::string*> urls_;
};

/// The tokens/s at which each agent's simulator decodes one reply. Nothing for an agent with a URL of its own, and
/// nothing where the rate is not fixed: the profile sets contention or num_gpu, or does not limit the rate.
std::vector<std::optional<double>> undisturbed_rates(const profile&);

/// The path of chimera-sim: beside the running program, or the value of CHIMERA_SIMULATOR.
std::filesystem::path simulator_program();

} // namespace chimera::host
