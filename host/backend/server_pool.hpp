// The servers that a profile's agents talk to: those that it names, and simulators for the rest.
#pragma once

#include "backend/simulator_process.hpp"
#include "profile/profile.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// Every agent's server, alive as long as this object.
class server_pool {
  public:
    /// Starts the simulators that the profile needs, from `simulator` (the program). Throws std::runtime_error.
    server_pool(const profile&, const std::filesystem::path& simulator);

    /// The base URL of agent number i.
    const std::string& url(std::size_t agent) const { return urls_.at(agent); }
    /// How many simulators were started.
    std::size_t simulators() const noexcept { return simulators_.size(); }

  private:
    std::vector<simulator_process> simulators_;
    std::vector<std::string> urls_;
};

/// The tokens/s at which each agent's simulator decodes one reply; nothing for an agent with a server of its own, and
/// where the profile lets something slow it down (contention, num_gpu) or does not pace it.
std::vector<std::optional<double>> undisturbed_rates(const profile&);

/// Where chimera-sim is: beside the running program. CHIMERA_SIMULATOR names another one.
std::filesystem::path simulator_program();

} // namespace chimera::host
