#include "body_framing.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "http_text.hpp"

namespace chimera::http1 {

namespace {

/// Whether the body comes in chunks. "identity", which RFC 7230 took out, says nothing.
bool is_chunked(const std::string& codings, std::string_view whose) {
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
        throw bad_message("its Transfer-Encoding is " + shown(codings) + ", of which " + std::string(whose) +
                          " can undo a single 'chunked' only");
    return chunked == 1;
}

/// Repeated, also in a list, it has to be the same number again.
std::uint64_t one_length(const std::string& lengths, std::uint64_t longest) {
    const auto refuse = [&](const char* why) {
        return bad_message("its Content-Length is " + shown(lengths) + ", " + why);
    };
    std::optional<std::uint64_t> length;
    std::string_view rest = lengths;
    for (bool more = true; more;) { // also an empty list has one element, the empty one, which is not a number
        more = rest.find(',') != std::string_view::npos;
        const std::string_view digits = next_element(rest);
        const char* const end = digits.data() + digits.size();
        std::uint64_t value = 0;
        const auto [stop, ec] = std::from_chars(digits.data(), end, value);
        if (ec == std::errc::result_out_of_range || (ec == std::errc{} && stop == end && value > longest))
            throw refuse("which is too large");
        if (ec != std::errc{} || stop != end) throw refuse("which is not a number of bytes");
        if (length && *length != value) throw refuse("which are different lengths");
        length = value;
    }
    return *length;
}

} // namespace

declared_body declared_body::of(const field_list& fields, std::uint64_t longest, std::string_view whose) {
    const auto codings = fields.list("transfer-encoding");
    const auto lengths = fields.list("content-length");
    declared_body result{.has_codings = codings.has_value(), .has_length = lengths.has_value()};
    result.chunked = codings && is_chunked(*codings, whose);
    if (lengths && !result.chunked) result.length = one_length(*lengths, longest);
    return result;
}

bool stays_open(const field_list& fields, int minor_version) {
    bool close = false, keep_alive = false;
    if (const auto options = fields.list("connection")) {
        for (std::string_view rest = *options; !rest.empty();) {
            const std::string_view option = next_element(rest);
            close = close || same_name(option, "close");
            keep_alive = keep_alive || same_name(option, "keep-alive");
        }
    }
    return !close && (minor_version > 0 || keep_alive);
}

} // namespace chimera::http1
