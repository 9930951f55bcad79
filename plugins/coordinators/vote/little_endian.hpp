// Integers in bytes whose layout is fixed: those that are signed, and those of a certificate.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace chimera::vote {

template <std::unsigned_integral Integer>
void put(std::uint8_t* to, Integer n) noexcept {
    for (std::size_t i = 0; i < sizeof n; ++i) to[i] = static_cast<std::uint8_t>(n >> (8 * i));
}

template <std::unsigned_integral Integer>
Integer get(const std::uint8_t* from) noexcept {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) n |= static_cast<std::uint64_t>(from[i]) << (8 * i);
    return static_cast<Integer>(n);
}

} // namespace chimera::vote
