#include "protocol/excerpt.hpp"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <simdjson.h>

namespace chimera::host {

namespace {

std::size_t character_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return length <= text.size() && simdjson::validate_utf8(text.substr(0, length)) ? length : 0;
}

std::string escape(char byte) { return fmt::format("\\x{:02x}", static_cast<unsigned char>(byte)); }

char32_t code_point(std::string_view character) {
    const auto byte = [&](std::size_t i) { return char32_t{static_cast<unsigned char>(character[i])}; };
    if (character.size() == 1) return byte(0);
    char32_t code = byte(0) & (0xFFU >> (character.size() + 1));
    for (std::size_t i = 1; i < character.size(); ++i) code = code << 6U | (byte(i) & 0x3FU);
    return code;
}

/// Unusual and zero-width blanks, marks of direction, and characters that Unicode calls ignorable (fillers, tags,
/// variation selectors beyond those of emoji).
bool is_invisible(char32_t code) {
    const auto within = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
    return code == 0xA0 || code == 0xAD || code == 0x34F || code == 0x61C || within(0x115F, 0x1160) ||
           within(0x17B4, 0x17B5) || within(0x180B, 0x180F) || within(0x2000, 0x200F) || within(0x2028, 0x202F) ||
           within(0x205F, 0x206F) || code == 0x3000 || code == 0x3164 || code == 0xFEFF || code == 0xFFA0 ||
           within(0xFFF0, 0xFFFB) || within(0x1D173, 0x1D17A) || within(0xE0000, 0xE0FFF);
}

std::string shown(const first_character& c) {
    if (c.is_plain) return std::string(c.bytes);
    if (c.code == '\n') return "\\n";
    if (c.code == '\r') return "\\r";
    if (c.code == '\t') return "\\t";
    std::string out;
    if (c.is_utf8 && c.code >= 0xA0) return fmt::format("\\u{{{:x}}}", std::uint32_t{c.code});
    for (const char byte : c.bytes) out += escape(byte);
    return out;
}

/// Takes the first character off a text and returns how it is shown.
std::string take_shown(std::string_view& text) {
    const first_character first(text);
    text.remove_prefix(first.bytes.size());
    return shown(first);
}

/// The number of leading bytes of printable ASCII, which are shown as they are.
std::size_t plain_length(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, [](char c) { return c >= ' ' && c <= '~'; }) -
                                    text.begin());
}

std::string shown(std::string_view text, bool keep_line_ends) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t plain = plain_length(text);
        out += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        if (keep_line_ends && text.front() == '\n') {
            out += '\n';
            text.remove_prefix(1);
        } else {
            out += take_shown(text);
        }
    }
    return out;
}

} // namespace

first_character::first_character(std::string_view text) noexcept {
    const std::size_t length = character_length(text);
    bytes = text.substr(0, std::max(length, std::size_t{1}));
    is_utf8 = length != 0;
    if (!is_utf8) return;
    code = code_point(bytes);
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0); // the latter act as controls in some terminals
    is_plain = !control && !is_invisible(code);
}

std::string excerpt(std::string_view text, std::size_t limit) {
    std::string out;
    while (!text.empty()) {
        const std::string piece = take_shown(text);
        if (out.size() + piece.size() > limit) return out + "...";
        out += piece;
    }
    return out;
}

std::string on_one_line(std::string_view text) { return shown(text, false); }

std::string printable(std::string_view text) { return shown(text, true); }

std::string shell_word(std::string_view text) {
    constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+,:@%";
    if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
    const bool shown_as_it_is = on_one_line(text) == text;
    std::string out = shown_as_it_is ? "'" : "$'";
    while (!text.empty()) {
        const first_character c(text);
        text.remove_prefix(c.bytes.size());
        if (!c.is_plain)
            for (const char byte : c.bytes) out += escape(byte);
        else if (c.code == '\'')
            out += shown_as_it_is ? "'\\''" : "\\'";
        else if (c.code == '\\' && !shown_as_it_is)
            out += "\\\\";
        else
            out += c.bytes;
    }
    return out + "'";
}

bool is_utf8(std::string_view text) noexcept { return simdjson::validate_utf8(text.data(), text.size()); }

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string_view without_byte_order_mark(std::string_view text) noexcept {
    return text.substr(text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0);
}

} // namespace chimera::host
