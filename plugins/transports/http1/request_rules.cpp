#include "request_rules.hpp"

#include <algorithm>
#include <span>
#include <string>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"
#include "http_text.hpp"

namespace chimera::http1 {

namespace {

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
