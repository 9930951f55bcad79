#pragma once
#include "profile/document.hpp"
#include "profile/load.hpp"

namespace chimera::host {

/// Puts the two agents of the reports where the document names none, then changes it as the command line says: --set
/// first, then the other switches, where no --set was more specific. A plugin chosen by --set loses the options that
/// the file gave to another one.
void apply_overrides(node& root, const profile_overrides&, std::vector<std::string>* faults);

} // namespace chimera::host
