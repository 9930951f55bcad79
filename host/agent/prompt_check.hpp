// Finds a bad prompt template before anything runs.
#pragma once

#include "profile/profile.hpp"

namespace chimera::host {

/// Reads every template that the profile's agents would use. Throws template_error.
void check_prompts(const profile&);

} // namespace chimera::host
