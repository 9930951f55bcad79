#include "http_text.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::http1 {

namespace {

constexpr std::string_view not_http = "the server's response is not HTTP/1.1: ";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_field_value(std::string_view s) {
    return std::none_of(s.begin(), s.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_path(std::string_view s) {
    return std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
}

[[noreturn]] void refuse(std::string_view what, std::string_view value, std::string_view why) {
    throw sdk::error(CHM_E_INVAL,
                     std::string(what) + " '" + std::string(value.substr(0, 80)) + "' " + std::string(why));
}

} // namespace

bool is_token_character(char c) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
}

bool is_token(std::string_view s) noexcept { return !s.empty() && std::all_of(s.begin(), s.end(), is_token_character); }

bool same_name(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
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

std::optional<std::string> percent_decoded(std::string_view s) {
    std::string bytes;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] != '%') {
            bytes += s[i];
            continue;
        }
        unsigned char byte = 0;
        const char* const digits = s.data() + i + 1;
        if (i + 2 >= s.size() || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return std::nullopt;
        bytes += static_cast<char>(byte);
        i += 2;
    }
    return bytes;
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

bad_message::bad_message(const std::string& why) : sdk::error(CHM_E_PROTO, std::string(not_http) + why) {}

std::string_view bad_message::why() const noexcept { return std::string_view(what()).substr(not_http.size()); }

void check_text(std::string_view text, const char* whose, std::string_view line) {
    const auto bad = std::find_if(text.begin(), text.end(), is_control);
    if (bad == text.end()) return;
    const char* const what = *bad == '\r' ? " has a carriage return without a line feed: "
                             : *bad == 0  ? " has a NUL: "
                                          : " has a control character: ";
    throw bad_message(whose + std::string(what) + shown(line));
}

void check_request(const chm_request& request) {
    const std::string_view method = sdk::view(request.method);
    const std::string_view path = sdk::view(request.path);
    if (!is_token(method)) refuse("request method", method, "is not a token");
    if (!path.empty() && path.front() != '/') refuse("request path", path, "does not begin with '/'");
    if (!is_path(path)) refuse("request path", path, "has a character that must be percent-encoded");
    for (const chm_kv& kv : std::span(request.headers, request.n_headers)) {
        const std::string_view name = sdk::view(kv.key);
        if (!is_token(name)) refuse("request header", name, "has a name that is not a token");
        if (!is_field_value(sdk::view(kv.value)))
            refuse("request header", name, "has a line break or a NUL in its value");
        if (same_name(name, "content-length") || same_name(name, "transfer-encoding"))
            refuse("request header", name, "is the transport's own to send");
    }
}

bool says_length(std::string_view method, std::string_view body) noexcept {
    return !body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
}

} // namespace chimera::http1
