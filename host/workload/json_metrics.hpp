#pragma once

#include "workload/csv.hpp"

#include <string_view>

namespace chimera::host {

/// Reads JSON: every finite number is a value of the metric named for the nearest key above it. Throws bad_file with
/// the place of the first mistake.
file_facts read_json(std::string_view text);

} // namespace chimera::host
