#pragma once
#include "profile/document.hpp"
#include "profile/profile.hpp"

namespace chimera::host {

/// What no single key can say: ids are unique and fit for file names, URLs are HTTP URLs without secrets, files exist,
/// ... Hands the URLs to the agents and fills in names that were left out, and appends faults, placed by the document.
void check_profile(profile&, const node& root, const std::string& file, std::vector<std::string>* faults);

/// What keeps a name from being that of a file, and what would do; empty where nothing does.
std::string file_name_fault(std::string_view);

} // namespace chimera::host
