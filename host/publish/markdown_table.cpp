#include "publish/markdown_table.hpp"

#include <fmt/format.h>

#include <cassert>
#include <cmath>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* missing = "not measured";

/// A cell that ends where its text does: one that was not escaped before (markdown_text()) would be cut at a bar.
std::string escaped(const std::string& cell) {
    std::string out;
    bool after_backslash = false;
    for (const char c : cell) {
        if (c == '|' && !after_backslash) out += '\\';
        out += c == '\n' ? ' ' : c;
        after_backslash = c == '\\' && !after_backslash;
    }
    return out;
}

} // namespace

std::string figure(const json& value, std::string_view unit) {
    if (value.is_null()) return missing;
    if (value.is_number_integer()) return value.dump();
    const double v = value.get<double>();
    // Two decimals would hide what is left of a loss once imbalance is taken away.
    if (unit == "%" && (v == 0 || std::abs(v) >= 0.095)) return fmt::format("{:.2f}", v);
    return std::abs(v) >= 1000 ? fmt::format("{:.0f}", v) : fmt::format("{:.4g}", v);
}

std::string interval_figure(const json& interval, std::string_view unit) {
    if (interval.is_null()) return missing;
    return fmt::format("{} to {}", figure(interval[0], unit), figure(interval[1], unit));
}

std::string text_figure(const json& text) { return text.is_null() ? missing : text.get<std::string>(); }

void markdown_table::add(std::vector<std::string> cells) {
    assert(cells.size() == columns_);
    std::string row = "|";
    for (const std::string& c : cells) row += fmt::format(" {} |", escaped(c));
    rows_.push_back(std::move(row));
}

std::string markdown_table::text() const {
    std::string out = rows_[0] + "\n|";
    for (std::size_t i = 0; i < columns_; ++i) out += "---|";
    out += '\n';
    for (std::size_t i = 1; i < rows_.size(); ++i) out += rows_[i] + "\n";
    return out + "\n";
}

} // namespace chimera::host
