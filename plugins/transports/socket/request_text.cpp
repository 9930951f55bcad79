#include "request_text.hpp"

#include <algorithm>
#include <span>
#include <string_view>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"
#include "http1/http_text.hpp"

namespace chimera::socket {

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

void request_text::write(const stream_socket::base_url& url, const chm_request& request) {
    const std::string_view method = sdk::view(request.method);
    const std::string_view path = sdk::view(request.path);
    const std::string_view body = sdk::view(request.body);
    if (!http1::is_token(method)) refuse("request method", method, "is not a token");
    if (!path.empty() && path.front() != '/') refuse("request path", path, "does not begin with '/'");
    if (!is_path(path)) refuse("request path", path, "has a character that must be percent-encoded");

    target.assign(url.path_prefix).append(path);
    if (target.empty()) target = "/";
    is_head = method == "HEAD";

    bytes.assign(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    bool has_host = false;
    for (const chm_kv& kv : std::span(request.headers, request.n_headers)) {
        const std::string_view name = sdk::view(kv.key);
        const std::string_view value = sdk::view(kv.value);
        if (!http1::is_token(name)) refuse("request header", name, "has a name that is not a token");
        if (!is_field_value(value)) refuse("request header", name, "has a line break or a NUL in its value");
        if (http1::same_name(name, "content-length") || http1::same_name(name, "transfer-encoding"))
            refuse("request header", name, "is the transport's own to send");
        has_host = has_host || http1::same_name(name, "host");
        bytes.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_host) bytes.append("Host: ").append(url.host_header).append("\r\n");
    if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH")
        bytes.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    bytes.append("\r\n").append(body);
}

} // namespace chimera::socket
