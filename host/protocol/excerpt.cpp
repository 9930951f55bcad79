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

std::uint32_t code_point(std::string_view character) {
    const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(character[i])}; };
    if (character.size() == 1) return byte(0);
    std::uint32_t code = byte(0) & (0xFFU >> (character.size() + 1));
    for (std::size_t i = 1; i < character.size(); ++i) code = code << 6U | (byte(i) & 0x3FU);
    return code;
}

/// Blanks that look like others or like nothing, marks that turn the direction of what follows, and what Unicode wants
/// left out where it is not known (fillers, tags, selectors of variants beyond those of emoji).
bool is_invisible(std::uint32_t code) {
    const auto within = [code](std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; };
    return code == 0xA0 || code == 0xAD || code == 0x34F || code == 0x61C || within(0x115F, 0x1160) ||
           within(0x17B4, 0x17B5) || within(0x180B, 0x180F) || within(0x2000, 0x200F) || within(0x2028, 0x202F) ||
           within(0x205F, 0x206F) || code == 0x3000 || code == 0x3164 || code == 0xFEFF || code == 0xFFA0 ||
           within(0xFFF0, 0xFFFB) || within(0x1D173, 0x1D17A) || within(0xE0000, 0xE0FFF);
}

std::string shown_character(std::string_view character) {
    const char byte = character.front();
    if (byte == '\n') return "\\n";
    if (byte == '\r') return "\\r";
    if (byte == '\t') return "\\t";
    const std::uint32_t code = code_point(character);
    if (code < 0x20 || code == 0x7F) return escape(byte);
    if (code >= 0x80 && code < 0xA0) return escape(byte) + escape(character[1]); // control characters to some terminals
    return is_invisible(code) ? fmt::format("\\u{{{:x}}}", code) : std::string(character);
}

/// Takes the first character off a text, or the first byte where no character stands there, and returns how it is
/// shown.
std::string take_shown(std::string_view& text) {
    const std::size_t length = character_length(text);
    std::string piece = length == 0 ? escape(text.front()) : shown_character(text.substr(0, length));
    text.remove_prefix(std::max(length, std::size_t{1}));
    return piece;
}

/// How many of the first bytes are shown as they are, told without a look at the characters: printable ASCII.
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

bool is_utf8(std::string_view text) noexcept { return simdjson::validate_utf8(text.data(), text.size()); }

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

} // namespace chimera::host
