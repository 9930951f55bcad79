// Whether this machine has room for a profile's agents.
#pragma once

#include "profile/profile.hpp"

namespace chimera::host {

/// [before the first thread and the first simulator] Raises the limit of open files for this process and its simulators
/// as far as the profile needs. Throws std::runtime_error when there are too few files, ports or memory; the message
/// has the figures and says what to do.
void make_room_for(const profile&);

} // namespace chimera::host
