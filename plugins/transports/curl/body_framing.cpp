#include "body_framing.hpp"

#include <charconv>
#include <string>

#include "http_text.hpp"

namespace chimera::curl {

namespace {

/// The values of all fields of this name, as one list. None: there is no such field.
std::optional<std::string> whole_list(std::span<const head_field> fields, std::string_view name,
                                      std::string_view head_field::*part) {
    std::optional<std::string> all;
    for (const head_field& field : fields) {
        if (!same_name(field.name, name)) continue;
        if (all) all->append(", ");
        if (!all) all.emplace();
        all->append(field.*part);
    }
    return all;
}

bool names_chunked(std::string_view codings) noexcept {
    while (!codings.empty())
        if (same_name(next_element(codings), "chunked")) return true;
    return false;
}

/// Whether the body comes in chunks. "identity", which RFC 7230 took out, says nothing.
bool is_chunked(const std::string& codings) {
    int chunked = 0, others = 0, identities = 0;
    for (std::string_view rest = codings; !rest.empty();) {
        const std::string_view coding = next_element(rest);
        if (same_name(coding, "identity"))
            ++identities;
        else if (same_name(coding, "chunked"))
            ++chunked;
        else if (!coding.empty())
            ++others;
    }
    if (others > 0 || chunked > 1 || chunked + identities == 0)
        throw bad_response("its Transfer-Encoding is " + shown(codings) +
                           ", of which this transport can undo a single 'chunked' only");
    return chunked == 1;
}

/// Repeated, also in a list, it has to be the same number again. curl counts with a sign, so 2^63 is too large for it.
std::uint64_t one_length(const std::string& lengths) {
    const auto refuse = [&](const char* why) {
        return bad_response("its Content-Length is " + shown(lengths) + ", " + why);
    };
    std::optional<std::uint64_t> length;
    std::string_view rest = lengths;
    for (bool more = true; more;) { // also an empty list has one element, the empty one, which is not a number
        more = rest.find(',') != std::string_view::npos;
        const std::string_view digits = next_element(rest);
        const char* const end = digits.data() + digits.size();
        std::uint64_t value = 0;
        const auto [stop, ec] = std::from_chars(digits.data(), end, value);
        if (ec == std::errc::result_out_of_range || (ec == std::errc{} && stop == end && value > INT64_MAX))
            throw refuse("which is too large");
        if (ec != std::errc{} || stop != end) throw refuse("which is not a number of bytes");
        if (length && *length != value) throw refuse("which are different lengths");
        length = value;
    }
    return *length;
}

} // namespace

body_framing body_framing::of(std::int32_t status, int minor_version, bool no_body,
                              std::span<const head_field> fields) {
    body_framing result;
    if (no_body || status == 204 || status == 304) {
        result.empty = true;
        return result;
    }

    const auto codings = whole_list(fields, "transfer-encoding", &head_field::value);
    const auto lengths = whole_list(fields, "content-length", &head_field::value);
    if (codings && is_chunked(*codings)) {
        result.chunked = true;
        result.ended_by_curl = names_chunked(*whole_list(fields, "transfer-encoding", &head_field::first_line));
        // Somebody on the way may have seen another end (RFC 9112 6.1): nothing is read behind this one.
        result.reusable = !lengths && minor_version > 0;
    } else if (lengths) {
        result.length = one_length(*lengths);
        result.empty = result.length == 0;
        result.ended_by_curl = !codings; // beside any Transfer-Encoding curl does not count
    }
    return result;
}

} // namespace chimera::curl
