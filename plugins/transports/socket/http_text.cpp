#include "http_text.hpp"

#include <algorithm>

namespace chimera::socket {

bool is_token(std::string_view s) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !s.empty() && std::all_of(s.begin(), s.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    });
}

bool same_name(std::string_view name, std::string_view lower) noexcept {
    return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                      [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

std::string_view trimmed(std::string_view s) noexcept {
    const std::size_t first = s.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return s.substr(first, s.find_last_not_of(" \t") + 1 - first);
}

std::string_view next_element(std::string_view& list) noexcept {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    return element;
}

std::string shown(std::string_view s) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "'";
    for (const char c : s.substr(0, 80)) {
        if (c >= ' ' && c < '\x7f') {
            text += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        text.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
    }
    return text + "'";
}

sdk::error bad_response(const std::string& why) {
    return {CHM_E_PROTO, "the server's response is not HTTP/1.1: " + why};
}

} // namespace chimera::socket
