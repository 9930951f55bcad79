// One exchange's part of a connection: the request's header fields.
#include "stream.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "chimera/sdk/text.hpp"
#include "http1/http_text.hpp"

namespace chimera::h2 {

namespace {

bool is_of_a_connection(std::string_view name, std::string_view value) {
    constexpr std::array<std::string_view, 4> names{"connection", "keep-alive", "proxy-connection", "upgrade"};
    return std::any_of(names.begin(), names.end(), [&](std::string_view n) { return http1::same_name(n, name); }) ||
           (http1::same_name(name, "te") && !http1::same_name(http1::trimmed(value), "trailers"));
}

} // namespace

void request_fields::write(const stream_socket::base_url& url, const chm_request& request) {
    const std::string_view method = sdk::view(request.method);
    const std::string_view path = sdk::view(request.path);
    const std::span headers(request.headers, request.n_headers);
    http1::check_request(request);
    target_.assign(url.path_prefix).append(path);
    if (target_.empty()) target_ = "/";
    body_ = sdk::view(request.body);

    text_.clear();
    places_.clear();
    std::string_view authority = url.host_header;
    for (const chm_kv& kv : headers)
        if (http1::same_name(sdk::view(kv.key), "host")) authority = http1::trimmed(sdk::view(kv.value));
    add(":method", method);
    add(":scheme", url.tls ? "https" : "http");
    add(":authority", authority);
    add(":path", target_);
    for (const chm_kv& kv : headers) {
        const std::string_view name = sdk::view(kv.key);
        const std::string_view value = sdk::view(kv.value);
        if (!http1::same_name(name, "host") && !is_of_a_connection(name, value)) add(name, http1::trimmed(value));
    }
    if (http1::says_length(method, body_)) add("content-length", std::to_string(body_.size()));
}

void request_fields::clear() noexcept {
    // Assigning {} to a string or a vector would keep its memory.
    std::string().swap(body_);
    std::string().swap(text_);
    std::vector<place>().swap(places_);
    std::vector<nghttp2_nv>().swap(fields_);
}

void request_fields::add(std::string_view name, std::string_view value) {
    const std::size_t at = text_.size();
    for (const char c : name) text_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    text_.append(value);
    places_.push_back({at, at + name.size(), text_.size()});
}

const std::vector<nghttp2_nv>& request_fields::fields() {
    fields_.clear();
    // Not const in nghttp2's interface, which only reads.
    auto* const text = reinterpret_cast<std::uint8_t*>(text_.data());
    for (const place& p : places_)
        fields_.push_back({text + p.name, text + p.value, p.value - p.name, p.end - p.value, NGHTTP2_NV_FLAG_NONE});
    return fields_;
}

} // namespace chimera::h2
