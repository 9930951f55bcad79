// Asks the servers of a profile for their software, version and models.
#pragma once

#include "provenance/provenance.hpp"
#include "run/execution.hpp"

#include <chrono>
#include <vector>

namespace chimera::host {

/// Asks every server once, all at the same time, with the profile's own executor, transport, headers and API key. Of
/// the simulators that chimera started only the first is asked: they are the same program. Redirects are not followed,
/// and a large answer is not read.
///
/// Never fails: what a server does not tell within the limit is absent. The control ends it early.
std::vector<server_identity> ask_servers(const execution_setup&, execution_control&,
                                         std::chrono::milliseconds limit = std::chrono::seconds(2));

} // namespace chimera::host
