#pragma once
#include <chimera/abi/option.h>
#include <span>
#include <string>

namespace chimera::host {

/// What a factory describes wrongly, empty where nothing: names, types, ranges, choices, defaults. Names the option,
/// what was found and what was expected.
std::string schema_fault(std::span<const chm_option>);

/// A factory's options as this host knows the struct, whatever its size was when the plugin was compiled. The result
/// lives until the process ends. Sets *fault where the elements' sizes make no sense.
std::span<const chm_option> read_schema(const chm_option* options, std::uint32_t n, std::string* fault);

} // namespace chimera::host
