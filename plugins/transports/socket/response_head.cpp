#include "response_head.hpp"

#include <algorithm>

#include "http1/http_text.hpp"

namespace chimera::socket {

namespace {

constexpr std::string_view version = "HTTP/1.";

} // namespace

void response_head::clear() noexcept {
    status_ = 0;
    minor_version_ = 0;
    fields_.clear();
}

bool response_head::may_begin(std::string_view bytes) noexcept {
    const std::size_t n = std::min(bytes.size(), version.size());
    return bytes.substr(0, n) == version.substr(0, n);
}

void response_head::refuse_beginning(std::string_view bytes) {
    // Fewer than telling_bytes, and none of the line's end: so it is the same whether that has come or not.
    bytes = bytes.substr(0, 24);
    bytes = bytes.substr(0, bytes.find_first_of("\r\n"));
    if (bytes.starts_with("HTTP/"))
        throw http1::bad_message("the version in its status line is not 1.x: it begins with " + http1::shown(bytes));
    throw http1::bad_message("it begins with " + http1::shown(bytes) + ", not with a status line");
}

void response_head::status_line(std::string_view line) {
    if (!line.starts_with(version)) refuse_beginning(line);
    minor_version_ = http1::version_of(line);
    status_ = http1::status_of(line);
}

} // namespace chimera::socket
