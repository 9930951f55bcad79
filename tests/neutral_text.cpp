#include "neutral_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <vector>

namespace chimera::test {
namespace {

std::string at(std::string_view what, std::string_view text, std::size_t position) {
    const std::size_t begin = position < 40 ? 0 : position - 40;
    std::string around;
    for (const char c : text.substr(begin, 80)) {
        constexpr std::string_view digits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f)
            around += c;
        else
            around.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
    }
    return std::string(what) + " at byte " + std::to_string(position) + ", near: " + around;
}

/// The length of the character there and its code; length 0: no UTF-8.
std::pair<std::size_t, std::uint32_t> decoded(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return {1, lead};
    const std::size_t length = lead >= 0xf5 || lead < 0xc2 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (length == 0 || text.size() < length) return {0, 0};
    std::uint32_t code = lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0U) != 0x80) return {0, 0};
        code = code << 6U | (next & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {0, 0};
    return {length, code};
}

bool acts_or_hides(std::uint32_t c) {
    return (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0xad || c == 0x61c ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

using row = std::vector<std::string>;

std::vector<row> rows_of(std::string_view csv) {
    std::vector<row> rows{{""}};
    bool quoted = false;
    for (std::size_t i = 0; i < csv.size(); ++i) {
        const char c = csv[i], next = i + 1 < csv.size() ? csv[i + 1] : '\0';
        if (quoted && c == '"' && next == '"') {
            rows.back().back() += c;
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && c == ',') {
            rows.back().emplace_back();
        } else if (!quoted && c == '\r' && next == '\n') {
            ++i;
            rows.push_back({""});
        } else {
            rows.back().back() += c;
        }
    }
    rows.pop_back();
    return rows;
}

bool is_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return (error == std::errc() || error == std::errc::result_out_of_range) && end == text.data() + text.size() &&
           text.find_first_of("nN") == std::string_view::npos;
}

bool escaped(std::string_view line, std::size_t position) {
    std::size_t backslashes = 0;
    while (backslashes < position && line[position - backslashes - 1] == '\\') ++backslashes;
    return backslashes % 2 == 1;
}

std::size_t bars(std::string_view line) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < line.size(); ++i) n += line[i] == '|' && !escaped(line, i);
    return n;
}

/// What stands behind "- " or "# ", or in a paragraph: the beginning of a line that may not make a block.
bool begins_a_block(std::string_view text) {
    if (text.empty()) return false;
    if (std::string_view("#-+=> ").find(text.front()) != std::string_view::npos) return true;
    const std::size_t digits = text.find_first_not_of("0123456789");
    return digits != 0 && digits != std::string_view::npos && digits + 1 < text.size() &&
           (text[digits] == '.' || text[digits] == ')') && text[digits + 1] == ' ';
}

std::string fault_in_line(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '<') return at("HTML", line, i);
        if (std::string_view("`*~[]").find(c) != std::string_view::npos && !escaped(line, i))
            return at("markup", line, i);
        if (c == '|' && !escaped(line, i) && !line.starts_with('|')) return at("a bar", line, i);
        if (c == '&' && i + 1 < line.size() &&
            (std::isalnum(static_cast<unsigned char>(line[i + 1])) || line[i + 1] == '#') &&
            !line.substr(i).starts_with("&lt;") && !line.substr(i).starts_with("&amp;") &&
            !line.substr(i).starts_with("&#32;"))
            return at("an entity", line, i);
        if (line.substr(i).starts_with("://") && i > 0 && std::isalnum(static_cast<unsigned char>(line[i - 1])))
            return at("an address", line, i);
    }
    if (line.starts_with('|')) return "";
    const std::size_t heading = std::min(line.find_first_not_of('#'), line.size());
    std::string_view rest = line;
    if (heading >= 1 && heading <= 3 && line.substr(heading).starts_with(' '))
        rest = line.substr(heading + 1);
    else if (line.starts_with("- "))
        rest = line.substr(2);
    return begins_a_block(rest) ? at("a block", line, 0) : "";
}

std::string fault_in_json(const nlohmann::json& value) {
    if (value.is_string()) return fault_on_terminal(value.get_ref<const std::string&>());
    if (value.is_object())
        for (const auto& [name, item] : value.items())
            if (std::string why = fault_on_terminal(name); !why.empty()) return why;
    if (value.is_structured())
        for (const auto& item : value)
            if (std::string why = fault_in_json(item); !why.empty()) return why;
    return "";
}

} // namespace

std::string fault_on_terminal(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto [length, code] = decoded(text.substr(i));
        if (length == 0) return at("no UTF-8", text, i);
        if (acts_or_hides(code)) return at("a character that acts or hides", text, i);
        i += length;
    }
    return "";
}

std::string fault_in_csv(std::string_view text) {
    std::string unix_lines;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') unix_lines += text[i];
    if (std::string why = fault_on_terminal(unix_lines); !why.empty()) return why;
    const std::vector<row> rows = rows_of(text);
    if (rows.empty()) return "no rows";
    for (const row& r : rows) {
        if (r.size() != rows[0].size())
            return "a row of " + std::to_string(r.size()) + " cells under a head of " + std::to_string(rows[0].size());
        for (const std::string& cell : r)
            if (!cell.empty() && std::string_view("=+-@\t\r").find(cell[0]) != std::string_view::npos &&
                !is_number(cell))
                return "a formula: " + cell;
    }
    return "";
}

std::string fault_in_markdown(std::string_view page) {
    if (std::string why = fault_on_terminal(page); !why.empty()) return why;
    std::size_t columns = 0;
    std::string_view fence;
    int blocks = 0;
    for (std::size_t begin = 0; begin < page.size();) {
        const std::size_t end = std::min(page.find('\n', begin), page.size());
        const std::string_view line = page.substr(begin, end - begin);
        begin = end + 1;
        const std::string_view ticks = line.substr(0, std::min(line.find_first_not_of('`'), line.size()));
        if (!fence.empty()) {
            if (line == ticks && ticks.size() >= fence.size()) fence = {};
            continue;
        }
        if (ticks.size() >= 3) {
            fence = ticks;
            if (++blocks > 1) return "more than one block of code";
            continue;
        }
        if (std::string why = fault_in_line(line); !why.empty()) return why;
        const std::size_t found = line.starts_with('|') ? bars(line) : 0;
        if (columns != 0 && found != 0 && found != columns) return at("a row of another length", line, 0);
        columns = found;
    }
    return fence.empty() ? "" : "a block of code without an end";
}

std::string fault_in_page(std::string_view page, std::string_view before, std::string_view after) {
    const std::size_t begin = page.find(before), end = page.find(after, begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return "no report in the page";
    const std::string_view data = page.substr(begin + before.size(), end - begin - before.size());
    for (std::size_t i = 0; i < data.size(); ++i)
        if (data[i] < 0x20 || data[i] > 0x7e || data[i] == '<') return at("no plain ASCII", data, i);
    const auto report = nlohmann::json::parse(data, nullptr, false);
    return report.is_discarded() ? "the report in the page is no JSON" : fault_in_json(report);
}

std::string hostile_text() {
    return "=cmd|'/C calc'!A0 \x1b]0;title\x07\x1b]52;c;cm0=\x07\x1b[2J\x1b[31m\r\t\x08\x7f "
           "\u202eabc\u2066\u200b\ufeff\u2028"
           "\U000E0041 \u0085\u009b31m\n# heading\n\n- item\n1. one\n> said\n<script>alert(1)</script><!-- &lt; <b>\n"
           "| a | b | [link](http://h) ![image](http://h) `code` *e* _e_ ~~s~~ </script> \\| \"q\",";
}

} // namespace chimera::test
