#include "body_framing.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "chimera/sdk/text.hpp"
#include "http_text.hpp"

namespace chimera::socket {

namespace {

/// The values of all fields of this name, as one list. None: there is no such field.
std::optional<std::string> whole_list(response_head& head, std::string_view name) {
    std::optional<std::string> all;
    for (const chm_kv& field : head.fields()) {
        if (!same_name(sdk::view(field.key), name)) continue;
        if (all) all->append(", ");
        if (!all) all.emplace();
        all->append(sdk::view(field.value));
    }
    return all;
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

/// Repeated, also in a list, it has to be the same number again.
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
        if (ec == std::errc::result_out_of_range) throw refuse("which is too large");
        if (ec != std::errc{} || stop != end) throw refuse("which is not a number of bytes");
        if (length && *length != value) throw refuse("which are different lengths");
        length = value;
    }
    return *length;
}

bool stays_open(response_head& head) {
    bool close = false, keep_alive = false;
    if (const auto options = whole_list(head, "connection")) {
        for (std::string_view rest = *options; !rest.empty();) {
            const std::string_view option = next_element(rest);
            close = close || same_name(option, "close");
            keep_alive = keep_alive || same_name(option, "keep-alive");
        }
    }
    return !close && (head.minor_version() > 0 || keep_alive);
}

} // namespace

body_framing body_framing::of(response_head& head, bool head_request) {
    body_framing result;
    result.keep_alive = stays_open(head);
    if (head_request || head.status() / 100 == 1 || head.status() == 204 || head.status() == 304) return result;

    const auto codings = whole_list(head, "transfer-encoding");
    const auto lengths = whole_list(head, "content-length");
    if (codings && is_chunked(*codings)) {
        result.body = kind::chunked;
        // Somebody on the way may have seen another end (RFC 9112 6.1): nothing is read behind this one.
        if (lengths || head.minor_version() == 0) result.keep_alive = false;
    } else if (lengths) {
        result.length = one_length(*lengths);
        if (result.length != 0) result.body = kind::counted;
    } else {
        result.body = kind::until_close;
        result.keep_alive = false;
    }
    return result;
}

} // namespace chimera::socket
