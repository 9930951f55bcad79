// A certificate as bytes: for records, and for whoever checks a decision later.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vote/messages.hpp"

namespace chimera::vote {

/// Layout; integers are little-endian: "CHVC" | version 1 | phase | level | choice | epoch | incarnation | sequence |
/// digest | number of votes (4 bytes) | for each vote: voter (4 bytes), signature.
std::vector<std::uint8_t> to_bytes(const certificate& c);

/// Empty unless these are exactly the bytes of one certificate: known values, voters that ascend, no byte too many.
/// Says nothing about its signatures (rules::check does). Allocates no more than the bytes' own size.
std::optional<certificate> certificate_from(std::span<const std::uint8_t> bytes);

} // namespace chimera::vote
