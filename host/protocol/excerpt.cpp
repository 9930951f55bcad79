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

/// Blanks that look like others or like nothing, and marks that turn the direction of what follows.
bool is_invisible(std::uint32_t code) {
    const auto within = [code](std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; };
    return code == 0xA0 || code == 0xAD || code == 0x61C || code == 0x180E || within(0x2000, 0x200F) ||
           within(0x2028, 0x202F) || within(0x205F, 0x206F) || code == 0x3000 || code == 0xFEFF ||
           within(0xE0000, 0xE007F);
}

std::string shown(std::string_view character) {
    const char byte = character.front();
    if (byte == '\n') return "\\n";
    if (byte == '\r') return "\\r";
    if (byte == '\t') return "\\t";
    const std::uint32_t code = code_point(character);
    if (code < 0x20 || code == 0x7F) return escape(byte);
    if (code >= 0x80 && code < 0xA0) return escape(byte) + escape(character[1]); // control characters to some terminals
    return is_invisible(code) ? fmt::format("\\u{{{:x}}}", code) : std::string(character);
}

} // namespace

std::string excerpt(std::string_view text, std::size_t limit) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        const std::string piece = length == 0 ? escape(text.front()) : shown(text.substr(0, length));
        if (out.size() + piece.size() > limit) return out + "...";
        out += piece;
        text.remove_prefix(std::max(length, std::size_t{1}));
    }
    return out;
}

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

} // namespace chimera::host
