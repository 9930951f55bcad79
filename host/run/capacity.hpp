// Whether this machine has room for a profile's agents.
#pragma once

#include "profile/profile.hpp"

namespace chimera::host {

/// Raises the limit of open files of this process, and of the simulators that it starts later, as far as the profile
/// needs. [before the first thread and the first simulator] Throws std::runtime_error, with the figures and what to do,
/// when files, ports or memory would not do.
void make_room_for(const profile&);

} // namespace chimera::host
