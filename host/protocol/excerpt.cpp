#include "protocol/excerpt.hpp"

#include <algorithm>
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

std::string shown(std::string_view character) {
    const char byte = character.front();
    if (byte == '\n') return "\\n";
    if (byte == '\r') return "\\r";
    if (byte == '\t') return "\\t";
    const auto code = static_cast<unsigned char>(byte);
    if (character.size() == 2 && code == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0)
        return escape(byte) + escape(character[1]); // U+0080 to U+009F: control characters to some terminals
    return code < 0x20 || code == 0x7F ? escape(byte) : std::string(character);
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

} // namespace chimera::host
