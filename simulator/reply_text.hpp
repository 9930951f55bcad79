#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::sim {

/// Index into the fixed vocabulary.
using token_id = std::uint16_t;

/// Longest token in JSON form, in bytes.
inline constexpr std::size_t longest_token = 48;

/// The token as a reader sees it, UTF-8.
std::string_view token_text(token_id id);

/// The token as it stands between the quotes of a JSON string. Views live as long as the program.
std::string_view token_json(token_id id);

/// A Markdown report of exactly `tokens` tokens, a function of its arguments alone: `## Summary` (prose),
/// `## Key Findings` (bullets), `## Metrics` (bullets `name: value unit`), `## Recommendations` (numbered), each with
/// its share of the length, so that every report of at least 8 tokens has all four with an entry in each.
std::vector<token_id> compose_report(std::uint64_t seed, std::uint32_t tokens);

/// Running prose of exactly `tokens` tokens, for reasoning.
std::vector<token_id> compose_prose(std::uint64_t seed, std::uint32_t tokens);

} // namespace chimera::sim
