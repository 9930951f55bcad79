// A report as a table: one row a run.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chimera::host {

/// RFC 4180, with a header: runtime, configuration, the configuration's parameters, run, status, message, serialized,
/// client_limited and arrival_limited (metrics, separated by spaces), and every metric that some run has. An empty
/// field: not measured. A text that a spreadsheet would compute ("=1+1", "-x", "@f") has an apostrophe before it;
/// numbers stay numbers. Control characters other than line ends, and invisible ones, are escaped (printable()).
std::string to_csv(const nlohmann::ordered_json& report);

} // namespace chimera::host
