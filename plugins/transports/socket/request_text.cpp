#include "request_text.hpp"

#include <span>
#include <string_view>

#include "chimera/sdk/text.hpp"
#include "http1/http_text.hpp"
#include "http1/request_rules.hpp"

namespace chimera::socket {

void request_text::write(const stream_socket::base_url& url, const chm_request& request) {
    const std::string_view method = sdk::view(request.method);
    const std::string_view path = sdk::view(request.path);
    const std::string_view body = sdk::view(request.body);
    http1::check_request(request);

    target.assign(url.path_prefix).append(path);
    if (target.empty()) target = "/";
    is_head = method == "HEAD";

    bytes.assign(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    bool has_host = false;
    for (const chm_kv& kv : std::span(request.headers, request.n_headers)) {
        const std::string_view name = sdk::view(kv.key);
        const std::string_view value = sdk::view(kv.value);
        has_host = has_host || http1::same_name(name, "host");
        bytes.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_host) bytes.append("Host: ").append(url.host_header).append("\r\n");
    if (http1::says_length(method, body))
        bytes.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    bytes.append("\r\n").append(body);
}

} // namespace chimera::socket
