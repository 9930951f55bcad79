#include "study/analysis.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

namespace chimera::host {

std::string rounded(double v) { return std::abs(v) >= 1000 ? fmt::format("{:.0f}", v) : fmt::format("{:.4g}", v); }

std::string label_of(const std::string& metric) {
    const auto known = figure_named(metric);
    if (!known) return metric;
    if (known->of == metric::efficiency) return "parallel efficiency";
    if (known->of == metric::recovered_efficiency) return "recovered parallel efficiency";
    const std::string label(row_of(known->of).label);
    switch (known->how) {
    case statistic::p95:
        return label + " p95";
    case statistic::p99:
        return label + " p99";
    default: // a run's value, mean or median: the usual one of this metric
        return label;
    }
}

std::string unit_of_difference(const std::string& unit) { return unit == "%" ? "points" : unit; }

std::string sentence_of(std::string text) {
    if (text.empty()) return text;
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    if (!text.ends_with('.') && !text.ends_with('?')) text += '.';
    return text;
}

std::string listed(const std::vector<std::string>& names) {
    std::string out;
    for (std::size_t i = 0; i < names.size(); ++i)
        out += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
    return out;
}

} // namespace chimera::host
