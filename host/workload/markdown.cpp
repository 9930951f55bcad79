#include "workload/markdown.hpp"

#include "workload/csv.hpp"

#include <algorithm>
#include <utility>

namespace chimera::host {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The level of a heading that `line` underlines; 0 when it underlines none.
std::size_t underline_level(std::string_view line) {
    line = trimmed(line);
    if (line.size() < 2) return 0;
    if (line.find_first_not_of('=') == std::string_view::npos) return 1;
    return line.find_first_not_of('-') == std::string_view::npos ? 2 : 0;
}

/// "TTFT: 603 ms" or "tokens_per_second = 99.3" -> a value of ttft_ms, tokens_per_second.
void add_metric(std::string_view item, metric_table& metrics) {
    const std::string text = without_emphasis(item);
    const std::size_t sign = text.find_first_of(":=");
    if (sign == std::string::npos) return;
    std::string name = metric_name(std::string_view(text).substr(0, sign));
    std::string_view rest = trimmed(std::string_view(text).substr(sign + 1));
    const std::size_t number_end = std::min(rest.find_first_not_of("+-.0123456789eE"), rest.size());
    double value = 0;
    if (name.empty() || !parse_number(rest.substr(0, number_end), value)) return;
    rest = trimmed(rest.substr(number_end));
    // A unit is one short word; more than that is a sentence that begins with a number.
    if (rest.size() > 12 || rest.find_first_of(" ,;(") != std::string_view::npos) return;
    const std::string unit = metric_name(rest);
    if (!unit.empty() && name != unit && !name.ends_with("_" + unit)) name += "_" + unit;
    metrics[name].add(value);
}

/// Number of lines of a front matter ("---" ... "---" at the very beginning).
std::size_t front_matter_lines(const std::vector<std::string_view>& lines) {
    if (lines.empty() || trimmed(lines.front()) != "---") return 0;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (trimmed(lines[i]) == "---") return i + 1;
    }
    return 0;
}

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

file_facts read_markdown(std::string_view text) {
    const std::vector<std::string_view> lines = lines_of(text);
    file_facts facts;
    bool fenced = false;
    std::string_view paragraph; // the line above, when it is plain text that may turn out to be underlined
    for (std::size_t i = front_matter_lines(lines); i < lines.size(); ++i) {
        const std::string_view line = lines[i];
        const std::string_view above = std::exchange(paragraph, {});
        if (is_fence(line)) {
            fenced = !fenced;
        } else if (fenced) {
            continue;
        } else if (const auto heading = heading_of(line)) {
            if (!heading->text.empty()) facts.headings.push_back(heading->text);
        } else if (is_table_rule(line) && above.find('|') != std::string_view::npos) {
            ++facts.tables;
        } else if (!above.empty() && underline_level(line) != 0) {
            facts.headings.push_back(without_emphasis(above));
        } else if (const auto item = list_item_of(line)) {
            add_metric(*item, facts.metrics);
        } else if (!line.starts_with("    ") && !trimmed(line).starts_with('>')) {
            paragraph = trimmed(line);
        }
    }
    return facts;
}

} // namespace chimera::host
