// A report as a table: one row a run.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chimera::host {

/// RFC 4180, with a header: runtime, configuration, the configuration's parameters, run, status, message, serialized,
/// client_limited and arrival_limited (metrics, separated by spaces), and every metric that some run has. An empty
/// field: not measured.
std::string to_csv(const nlohmann::ordered_json& report);

} // namespace chimera::host
