#pragma once
#include "profile/document.hpp"
#include "profile/load.hpp"

namespace chimera::host {

/// Makes a profile of a document after the table of keys: refuses what it does not know, converts and checks each value
/// and fills in defaults. What concerns several keys at once is left to check_profile().
/// file: as it is called in messages; folder: absolute, where its relative paths begin. May erase from the document
/// what has no meaning there. Faults are appended.
profile read_profile(node& root, const std::string& file, const std::filesystem::path& folder, const schema_lookup&,
                     std::vector<std::string>* faults);

/// The node at a dotted path ("workload.agents.0.id"), or null.
const node* node_at(const node& root, std::string_view path);

} // namespace chimera::host
