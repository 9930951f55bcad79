#pragma once
#include <string>

namespace chimera::host {

/// One option as a plugin or the simulator receives it: a flat dotted key and its value as text in canonical form
/// (integers in decimal, floats in the shortest form that reads back the same, "true" or "false").
struct option_value {
    std::string key, value;
    bool operator==(const option_value&) const = default;
};

} // namespace chimera::host
