#include "response.hpp"

#include <string>

#include "http1/http_text.hpp"
#include "http1/message_head.hpp"

namespace chimera::curl {

namespace {

bool names_chunked(std::string_view codings) noexcept {
    while (!codings.empty())
        if (http1::same_name(http1::next_element(codings), "chunked")) return true;
    return false;
}

} // namespace

body_framing body_framing::of(std::int32_t status, int minor_version, bool no_body, const http1::field_list& fields) {
    body_framing result;
    if (no_body || status == 204 || status == 304) {
        result.empty = true;
        return result;
    }

    const auto declared = http1::declared_body::of(fields, INT64_MAX, "this transport"); // curl counts with a sign
    if (declared.chunked) {
        result.chunked = true;
        result.ended_by_curl = names_chunked(*fields.list("transfer-encoding", http1::field_list::extent::first_line));
        // A proxy on the way may see another end (RFC 9112 6.1), so the connection is not read beyond this one.
        result.reusable = !declared.has_length && minor_version > 0;
    } else if (declared.has_length) {
        result.length = declared.length;
        result.empty = result.length == 0;
        result.ended_by_curl = !declared.has_codings; // beside any Transfer-Encoding curl does not count
    }
    return result;
}

std::exception_ptr chunk_reader::error_of(limit which) const {
    switch (which) {
    case limit::digits:
        return std::make_exception_ptr(
            http1::bad_message("a chunk's size has more than 16 digits, the most that curl takes"));
    case limit::chunk:
        return std::make_exception_ptr(
            sdk::error(CHM_E_LIMIT, "the server declared a chunk of more bytes than curl can count"));
    case limit::framing:
        break;
    }
    return std::make_exception_ptr(
        sdk::error(CHM_E_LIMIT, "the server sent more than 64 KiB of chunk framing or trailers"));
}

void chunk_reader::check_trailer(std::string_view line, char next) const {
    if (line.ends_with('\r'))
        throw http1::bad_message("a trailer has a carriage return without a line feed: " +
                                 http1::shown(std::string(line) + next));
    if (line.size() > max_trailer)
        throw sdk::error(CHM_E_LIMIT, "the server sent a trailer of more than " + std::to_string(max_trailer) +
                                          " bytes, which curl does not take");
}

response_head::outcome response_head::add(std::string_view line) {
    bytes_ += line.size();
    if (bytes_ > max_bytes) throw sdk::error(CHM_E_LIMIT, too_large);
    if (complete_) return outcome::more; // a trailer: chunk_reader has seen it
    if (line.ends_with('\n')) line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
    if (!in_head_) {
        begin(line);
        return outcome::more;
    }
    if (!line.empty()) {
        fields_.add(line);
        return outcome::more;
    }
    in_head_ = false;
    if (status_ == 101) throw http1::bad_message("the server switched protocols without being asked (status 101)");
    if (status_ < 200) return outcome::interim;
    finish();
    return outcome::complete;
}

void response_head::fill(chm_head& head) const noexcept {
    head.status = status_;
    head.headers = headers_.data();
    head.n_headers = headers_.size();
}

void response_head::clear(bool no_body) noexcept {
    bytes_ = 0;
    in_head_ = complete_ = false;
    no_body_ = no_body;
    framing_ = {};
}

/// curl has seen a status line here, but to it that is also "HTTP/2 200", "http/1.1 404" (as 200) and "HTTP/1.1 200OK".
void response_head::begin(std::string_view line) {
    fields_.clear();
    minor_version_ = http1::version_of(line);
    if (minor_version_ > 1)
        throw http1::bad_message(
            "the version in its status line is not 1.0 or 1.1, which are all that libcurl takes: " +
            http1::shown(line));
    status_ = http1::status_of(line);
    in_head_ = true;
}

void response_head::finish() {
    headers_ = fields_.all();
    framing_ = body_framing::of(status_, minor_version_, no_body_, fields_);
    complete_ = true;
}

} // namespace chimera::curl
