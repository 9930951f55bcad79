#pragma once
#include <chimera/abi/option.h>
#include <cstdint>
#include <string>

namespace chimera::host {

/// One option as a plugin or the simulator receives it: a flat dotted key and its value as text in canonical form
/// (integers in decimal, floats in the shortest form that reads back the same, "true" or "false").
struct option_value {
    std::string key, value;
    std::uint32_t type = CHM_OPT_STRING; ///< CHM_OPT_*: how the value is written in TOML
    bool operator==(const option_value&) const = default;
};

} // namespace chimera::host
