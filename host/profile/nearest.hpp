#pragma once
#include <span>
#include <string>
#include <string_view>

namespace chimera::host {

/// How many letters have to be inserted, deleted, replaced or swapped with their neighbour to turn a into b, no letter
/// more than once (the restricted Damerau-Levenshtein distance). Bytes count as letters.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// What to tell somebody who wrote `word` where only `known` words are understood: `did you mean "x"?` where one of
/// them is near, otherwise `known: "a", "b"`, of many only the nearest and the number of the others; empty where
/// nothing is known.
std::string suggest(std::string_view word, std::span<const std::string> known);

} // namespace chimera::host
