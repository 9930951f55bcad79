// Arithmetic with named figures: "(rust - python) / python * 100".
//
// Operators + - * / ^ (from the right), parentheses, and the functions sqrt, abs, min and max. A name is a word of
// letters, digits, '_' and '.', or any text in single quotes: 'peak.smol-1kb'. Pure functions; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

struct formula_fault {
    std::size_t column = 0; ///< from 1, in bytes
    std::string what;       ///< what is wrong, and what to do; empty: nothing
};

/// The names in a formula, each once, in their order. On a fault *fault says it and the result is empty.
std::vector<std::string> names_in(std::string_view formula, formula_fault* fault);

/// The value. Requires a formula without a fault. value_of: the value of each of its names. Nothing where it is not
/// finite: a division by 0, the root of a negative number.
std::optional<double> evaluate(std::string_view formula, const std::function<double(const std::string&)>& value_of);

} // namespace chimera::host
