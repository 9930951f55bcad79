#include "workload/markdown.hpp"

#include <algorithm>

namespace chimera::host {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

} // namespace

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(line);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

std::string without_emphasis(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool doubled = i + 1 < text.size() && text[i] == text[i + 1] && (text[i] == '*' || text[i] == '_');
        if (doubled)
            ++i;
        else if (text[i] != '`')
            out += text[i];
    }
    return std::string(trimmed(out));
}

std::optional<markdown_heading> heading_of(std::string_view line) {
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos || indent > 3) return std::nullopt;
    line.remove_prefix(indent);
    const std::size_t level = std::min(line.find_first_not_of('#'), line.size());
    if (level == 0 || level > 6 || (level < line.size() && line[level] != ' ' && line[level] != '\t'))
        return std::nullopt;
    std::string_view text = trimmed(line.substr(level));
    if (const auto end = text.find_last_not_of('#'); end == std::string_view::npos || text[end] == ' ') {
        text = end == std::string_view::npos ? std::string_view{} : trimmed(text.substr(0, end));
    }
    return markdown_heading{level, without_emphasis(text)};
}

std::optional<std::string_view> list_item_of(std::string_view line) {
    line = trimmed(line);
    for (const std::string_view bullet : {"- ", "* ", "+ ", "• "}) {
        if (line.starts_with(bullet)) return trimmed(line.substr(bullet.size()));
    }
    const auto digits = static_cast<std::size_t>(std::find_if_not(line.begin(), line.end(), is_digit) - line.begin());
    if (digits == 0 || digits > 3 || digits + 1 >= line.size()) return std::nullopt;
    if ((line[digits] != '.' && line[digits] != ')') || line[digits + 1] != ' ') return std::nullopt;
    return trimmed(line.substr(digits + 2));
}

bool is_table_rule(std::string_view line) noexcept {
    line = trimmed(line);
    return line.find('|') != std::string_view::npos && line.find('-') != std::string_view::npos &&
           line.find_first_not_of("|:- \t") == std::string_view::npos;
}

std::vector<std::string> table_cells(std::string_view line) {
    line = trimmed(line);
    if (line.starts_with('|')) line.remove_prefix(1);
    if (line.ends_with('|') && !line.ends_with("\\|")) line.remove_suffix(1);
    std::vector<std::string> cells(1);
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool escaped = line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|';
        if (escaped)
            cells.back() += line[++i];
        else if (line[i] == '|')
            cells.emplace_back();
        else
            cells.back() += line[i];
    }
    for (auto& cell : cells) cell = without_emphasis(cell);
    return cells;
}

bool is_fence(std::string_view line) noexcept {
    line = trimmed(line);
    return line.starts_with("```") || line.starts_with("~~~");
}

} // namespace chimera::host
