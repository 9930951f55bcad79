// The one clock of every timestamp: CLOCK_MONOTONIC in nanoseconds.
#pragma once

#include <cstdint>
#include <ctime>

namespace chimera::sdk {

/// CLOCK_MONOTONIC, ns. Any thread. Makes no system call (vDSO).
inline std::uint64_t now_ns() noexcept {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(t.tv_nsec);
}

} // namespace chimera::sdk
