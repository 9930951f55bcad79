#include "response_parser.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "http1/http_text.hpp"
#include "http1/message_head.hpp"

namespace chimera::socket {

namespace {

constexpr std::string_view version = "HTTP/1.";

sdk::error too_much_framing(std::uint32_t limit) {
    return {CHM_E_LIMIT, "the server sent more than " + std::to_string(limit) +
                             " bytes of header or chunk framing (max_header_bytes)"};
}

} // namespace

body_framing body_framing::of(const response_head& head, bool head_request) {
    body_framing result;
    result.keep_alive = http1::stays_open(head.fields(), head.minor_version());
    if (head_request || head.status() / 100 == 1 || head.status() == 204 || head.status() == 304) return result;

    // Also a length that could be counted: beyond 63 bits none is meant, and libcurl refuses it.
    const auto declared =
        http1::declared_body::of(head.fields(), std::numeric_limits<std::int64_t>::max(), "this transport");
    if (declared.chunked) {
        result.body = kind::chunked;
        // A proxy on the way may see another end (RFC 9112 6.1), so the connection is not read beyond this one.
        if (declared.has_length || head.minor_version() == 0) result.keep_alive = false;
    } else if (declared.has_length) {
        result.length = declared.length;
        if (result.length != 0) result.body = kind::counted;
    } else {
        result.body = kind::until_close;
        result.keep_alive = false;
    }
    return result;
}

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

std::exception_ptr response_chunks::error_of(limit which) const {
    switch (which) {
    case limit::digits:
        return std::make_exception_ptr(
            http1::bad_message("a chunk's size has more than " + std::to_string(most_digits) + " digits"));
    case limit::chunk:
        return std::make_exception_ptr(sdk::error(CHM_E_LIMIT, "the server declared a chunk of more than " +
                                                                   std::to_string(limits().chunk_bytes) +
                                                                   " bytes (max_chunk_bytes)"));
    case limit::framing:
        break;
    }
    return std::make_exception_ptr(too_much_framing(limits().framing_bytes));
}

void response_parser::begin(bool no_body) {
    lines_.begin();
    head_.clear();
    no_body_ = no_body;
    touched_ = head_done_ = done_ = false;
}

std::size_t response_parser::parse_head(std::span<const char> bytes) {
    std::size_t consumed = 0;
    while (consumed < bytes.size() && !head_done_) {
        const std::string_view rest(bytes.data() + consumed, bytes.size() - consumed);
        touched_ = true;
        // A line longer than telling_bytes is judged by its first telling_bytes.
        if (head_.status() == 0 && std::min(rest.size(), lines_.room()) >= response_head::telling_bytes &&
            !response_head::may_begin(rest) && rest.find('\n') >= response_head::telling_bytes)
            response_head::refuse_beginning(rest);
        const auto line = lines_.next(rest);
        if (lines_.over_limit()) throw too_much_framing(limits_.header_bytes);
        if (!line) break;
        consumed += line->size;
        if (head_.status() != 0) {
            if (line->text.empty())
                end_of_head();
            else
                head_.field_line(line->text);
        } else if (!line->text.empty()) { // empty lines before it are skipped
            head_.status_line(line->text);
        }
    }
    return consumed;
}

void response_parser::end_of_head() {
    if (head_.status() == 101)
        throw http1::bad_message("the server switched protocols without being asked (status 101)");
    if (head_.status() / 100 == 1) {
        head_.clear();
        touched_ = false;
        return;
    }
    framing_ = body_framing::of(head_, no_body_);
    left_ = framing_.length;
    chunks_.begin();
    done_ = framing_.body == body_framing::kind::none;
    head_done_ = true;
}

body_progress response_parser::parse_body(std::span<char> bytes) {
    switch (framing_.body) {
    case body_framing::kind::chunked: {
        const body_progress p = chunks_.read(bytes);
        done_ = chunks_.done();
        return p;
    }
    case body_framing::kind::counted: {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
        left_ -= n;
        done_ = left_ == 0;
        return {n, {bytes.data(), n}};
    }
    case body_framing::kind::until_close:
        return {bytes.size(), {bytes.data(), bytes.size()}};
    case body_framing::kind::none:
        break;
    }
    return {0, {}};
}

void response_parser::end_of_stream(std::span<const char> unparsed) {
    if (head_done_ && framing_.body == body_framing::kind::until_close) {
        done_ = true;
        return;
    }
    const std::string_view rest(unparsed.data(), unparsed.size());
    if (!head_done_ && head_.status() == 0 && !rest.empty() && rest != "\r" && !response_head::may_begin(rest))
        response_head::refuse_beginning(rest);
    throw sdk::error(CHM_E_CLOSED, "the server closed the connection before the end of the response");
}

} // namespace chimera::socket
