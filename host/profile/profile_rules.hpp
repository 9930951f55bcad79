#pragma once
#include "profile/document.hpp"
#include "profile/profile.hpp"

namespace chimera::host {

/// What no single key can say: ids are unique and fit for file names, URLs are HTTP URLs without secrets, files exist,
/// ... Hands the URLs to the agents and fills in names that were left out, and appends faults, placed by the document.
void check_profile(profile&, const node& root, const std::string& file, std::vector<std::string>* faults);

} // namespace chimera::host
