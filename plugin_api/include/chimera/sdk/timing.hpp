// For authors of transports: how an exchange's timing reaches its reader.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "../abi/timing.h"

namespace chimera::sdk {

/// Fills *out as chm_timing_ext::read does: as much of it as the caller's version of the struct has (out->size), which
/// stays as the caller has set it.
inline void copy_timing(chm_exchange_timing* out, const chm_exchange_timing& mine) noexcept {
    const std::uint32_t size = out->size;
    std::memcpy(out, &mine, std::min<std::size_t>(size, sizeof mine));
    out->size = size;
}

} // namespace chimera::sdk
