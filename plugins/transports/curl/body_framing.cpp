#include "body_framing.hpp"

#include "http1/body_framing.hpp"
#include "http1/http_text.hpp"

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
        // Somebody on the way may have seen another end (RFC 9112 6.1): nothing is read behind this one.
        result.reusable = !declared.has_length && minor_version > 0;
    } else if (declared.has_length) {
        result.length = declared.length;
        result.empty = result.length == 0;
        result.ended_by_curl = !declared.has_codings; // beside any Transfer-Encoding curl does not count
    }
    return result;
}

} // namespace chimera::curl
