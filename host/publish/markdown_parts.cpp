#include "publish/markdown_parts.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cmath>

namespace chimera::host {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool word_at(std::string_view text, std::size_t at) { return at < text.size() && is_word(text[at]); }

/// How the character at `at` is written so that it is only itself.
std::string inline_text(std::string_view text, std::size_t at) {
    const char c = text[at];
    const std::string_view rest = text.substr(at);
    const bool in_word = at > 0 && is_word(text[at - 1]) && word_at(text, at + 1);
    const bool after_word = at > 0 && is_word(text[at - 1]);
    bool escape = false;
    switch (c) {
    case '<':
        return "&lt;";
    case '&': // of an entity
        return word_at(text, at + 1) || rest.starts_with("&#") ? "&amp;" : "&";
    case '\\':
    case '`':
    case '*':
    case '~':
    case '[':
    case ']':
    case '|':
        escape = true;
        break;
    case '_':
        escape = !in_word;
        break;
    case ':': // GitHub makes links of addresses
        escape = after_word && rest.starts_with("://");
        break;
    case '.':
        escape = at >= 3 && text.substr(at - 3, 3) == "www";
        break;
    default:
        break;
    }
    return escape ? std::string{'\\', c} : std::string(1, c);
}

/// What makes a block of a line that begins with it: "# ", "- ", "1. ", four blanks.
std::string escaped_beginning(std::string_view& text) {
    if (text.empty()) return "";
    if (text.front() == ' ') {
        text.remove_prefix(1);
        return "&#32;";
    }
    if (std::string_view("#-+=>").find(text.front()) != std::string_view::npos) {
        const char c = text.front();
        text.remove_prefix(1);
        return {'\\', c};
    }
    const auto digits = static_cast<std::size_t>(
        std::ranges::find_if_not(text, [](char c) { return c >= '0' && c <= '9'; }) - text.begin());
    if (digits == 0 || digits == text.size() || (text[digits] != '.' && text[digits] != ')')) return "";
    if (digits + 1 < text.size() && text[digits + 1] != ' ') return ""; // 1.5
    const std::string number(text.substr(0, digits));
    const char mark = text[digits];
    text.remove_prefix(digits + 1);
    return number + '\\' + mark;
}

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

void make_text(json& value) {
    if (value.is_structured()) value = value.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

std::string markdown_text(std::string_view text) {
    std::string blanks(text);
    std::ranges::replace(blanks, '\n', ' ');
    const std::string line = on_one_line(blanks);
    std::string_view rest = line;
    std::string out = escaped_beginning(rest);
    for (std::size_t i = 0; i < rest.size(); ++i) out += inline_text(rest, i);
    return out;
}

study_report markdown_report(study_report report) {
    report.runs.clear();
    report.distributions.clear();
    for (planned_configuration& config : report.method.configs)
        for (json& value : config.parameters) make_text(value);
    for (parameter_report& parameter : report.parameters)
        for (level_report& level : parameter.levels) make_text(level.value);
    for_each_text(report, markdown_text);
    return report;
}

std::string code_block(std::string_view language, const std::vector<std::string>& lines) {
    std::string text, fence = "```";
    for (const std::string& l : lines) text += on_one_line(l) + "\n";
    while (text.find(fence) != std::string::npos) fence += '`';
    return fmt::format("{}{}\n{}{}\n\n", fence, language, text, fence);
}

std::string number(std::optional<double> value, std::string_view unit) {
    if (!value) return missing;
    const double v = *value;
    // Two decimals would hide the rest of a loss once imbalance is taken away.
    if (unit == "%" && (v == 0 || std::abs(v) >= 0.095)) return fmt::format("{:.2f}", v);
    return std::abs(v) >= 1000 ? fmt::format("{:.0f}", v) : fmt::format("{:.4g}", v);
}

std::string count(std::optional<std::size_t> n) { return n ? fmt::format("{}", *n) : missing; }

std::string range(const std::optional<statistics::interval>& i, std::string_view unit, const char* absent) {
    return i ? fmt::format("{} to {}", number(i->low, unit), number(i->high, unit)) : absent;
}

std::string part(std::string_view title, std::string_view said, const markdown_table& table) {
    if (table.empty()) return "";
    return fmt::format("### {}\n\n{}{}{}", title, said, said.empty() ? "" : "\n\n", table.text());
}

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
