#include "base_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>

#include "chimera/sdk/error.hpp"

namespace chimera::socket {

namespace urls = boost::urls;

namespace {

/// For messages: a password that was given all the same does not get into a log.
std::string without_credentials(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t at = url.rfind('@');
    if (scheme == std::string_view::npos || at == std::string_view::npos || at < scheme) return std::string(url);
    return std::string(url.substr(0, scheme + 3)) + "***" + std::string(url.substr(at));
}

} // namespace

base_url base_url::parse(std::string_view text) {
    const auto refuse = [&](chm_rc code, const std::string& why) {
        return sdk::error(code, "URL '" + without_credentials(text) + "' " + why);
    };
    const auto parsed = urls::parse_uri({text.data(), text.size()});
    if (!parsed)
        throw refuse(CHM_E_INVAL, "is not of the form http://host:port/prefix (" + parsed.error().message() + ")");
    const urls::url_view& u = *parsed;

    if (u.scheme_id() == urls::scheme::https)
        throw refuse(CHM_E_NOSYS, "asks for TLS, which the socket transport does not speak: use the curl transport "
                                  "([transport] plugin = \"curl\")");
    if (!u.has_authority()) throw refuse(CHM_E_INVAL, "names no host: write http://host:port/prefix");
    if (u.scheme_id() != urls::scheme::http)
        throw refuse(CHM_E_NOSYS, "has a scheme that the socket transport does not speak: it offers http only");
    if (u.has_userinfo()) throw refuse(CHM_E_INVAL, "has user information: give credentials as a header");
    if (u.has_query() || u.has_fragment()) throw refuse(CHM_E_INVAL, "has a query or a fragment: a base URL has none");

    base_url result;
    result.host = u.host_name().empty() ? std::string(u.host()) : std::string(u.host_name());
    if (result.host.empty()) throw refuse(CHM_E_INVAL, "names no host");
    for (const char c : result.host)
        if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '/' || c == '@' || c == '%')
            throw refuse(CHM_E_INVAL, "has a host that is no name");
    if (const std::string_view digits(u.port().data(), u.port().size()); !digits.empty()) {
        // Not port_number(): in Boost.URL 1.81 it wraps around.
        const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
        if (ec != std::errc{} || end != digits.data() + digits.size() || result.port == 0)
            throw refuse(CHM_E_INVAL, "has a port outside of 1 to 65535");
    }
    // Boost.URL 1.81 takes "http://host:x" for port "" and path "x".
    if (!u.encoded_path().empty() && u.encoded_path().front() != '/') throw refuse(CHM_E_INVAL, "has no valid port");

    switch (u.host_type()) {
    case urls::host_type::ipv4:
        result.literal = address::v4(u.host_ipv4_address().to_bytes(), result.port);
        break;
    case urls::host_type::ipv6:
        result.literal = address::v6(u.host_ipv6_address().to_bytes(), result.port);
        break;
    case urls::host_type::name:
        break;
    default:
        throw refuse(CHM_E_INVAL, "has a host that is neither a name nor an IPv4 or IPv6 address");
    }

    result.host_header = u.encoded_host();
    if (result.port != 80) result.host_header += ":" + std::to_string(result.port);
    result.origin = "http://" + result.host_header;
    result.path_prefix = u.encoded_path();
    while (!result.path_prefix.empty() && result.path_prefix.back() == '/') result.path_prefix.pop_back();
    return result;
}

} // namespace chimera::socket
