// Conversions between the contract's strings and std::string_view.
#pragma once

#include <string_view>

#include "../abi/base.h"

namespace chimera::sdk {

/// The bytes of `s`; borrowed exactly as `s` is.
inline std::string_view view(chm_str s) noexcept { return s.ptr ? std::string_view{s.ptr, s.len} : std::string_view{}; }

/// `s` as the contract passes it; borrowed from `s`.
inline chm_str str(std::string_view s) noexcept { return {s.data(), s.size()}; }

} // namespace chimera::sdk
