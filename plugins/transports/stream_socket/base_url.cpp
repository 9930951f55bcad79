#include "base_url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "chimera/sdk/error.hpp"
#include "http1/http_text.hpp"

namespace chimera::stream_socket {

namespace {

template <class SockAddr>
address pack(const SockAddr& from) noexcept {
    address a;
    std::memcpy(&a.storage, &from, sizeof from);
    a.length = sizeof from;
    return a;
}

/// For messages: a password that was given all the same does not get into a log.
std::string without_credentials(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t at = url.rfind('@');
    if (scheme == std::string_view::npos || at == std::string_view::npos || at < scheme) return std::string(url);
    return std::string(url.substr(0, scheme + 3)) + "***" + std::string(url.substr(at));
}

constexpr std::string_view unix_scheme = "http+unix://";

} // namespace

address address::v4(const std::array<unsigned char, 4>& bytes, std::uint16_t port) noexcept {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, bytes.data(), bytes.size());
    return pack(in);
}

address address::v6(const std::array<unsigned char, 16>& bytes, std::uint16_t port) noexcept {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, bytes.data(), bytes.size());
    return pack(in);
}

address address::unix_socket(std::string_view path) noexcept {
    sockaddr_un in{};
    in.sun_family = AF_UNIX;
    std::memcpy(in.sun_path, path.data(), std::min(path.size(), longest_path));
    return pack(in);
}

std::string address::text() const {
    if (is_unix_socket()) {
        sockaddr_un in{};
        std::memcpy(&in, &storage, sizeof in);
        return std::string("the unix socket ") + in.sun_path;
    }
    std::array<char, INET6_ADDRSTRLEN> host{};
    std::uint16_t port = 0;
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &storage, sizeof in);
        inet_ntop(AF_INET6, &in.sin6_addr, host.data(), host.size());
        port = ntohs(in.sin6_port);
    } else {
        sockaddr_in in{};
        std::memcpy(&in, &storage, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, host.data(), host.size());
        port = ntohs(in.sin_port);
    }
    return std::string(host.data()) + " port " + std::to_string(port);
}

namespace urls = boost::urls;

base_url base_url::parse_unix(std::string_view text, std::string_view behind_scheme) {
    const auto refuse = [&](const std::string& why) {
        return sdk::error(CHM_E_INVAL, "URL '" + without_credentials(text) + "' " + why);
    };
    const std::size_t host_end = std::min(behind_scheme.find('/'), behind_scheme.size());
    const bool whole_path = host_end == 0; // no host: all of it is the socket's path
    const std::string_view encoded = whole_path ? behind_scheme : behind_scheme.substr(0, host_end);
    const std::string_view prefix = whole_path ? std::string_view{} : behind_scheme.substr(host_end);
    if (behind_scheme.find_first_of("?#") != std::string_view::npos)
        throw refuse("has a query or a fragment: a base URL has none");
    if (!whole_path && encoded.find_first_of("@:") != std::string_view::npos)
        throw refuse("has user information or a port, which a unix socket does not have (in its path write %40 for '@' "
                     "and %3A for ':')");

    const std::optional<std::string> path = http1::percent_decoded(encoded);
    if (!path) throw refuse("has a '%' that is not followed by two hexadecimal digits");
    if (path->empty() || path->front() != '/' || path->back() == '/')
        throw refuse("does not name a unix socket by its absolute path: write http+unix://%2Frun%2Fname.sock/prefix");
    if (std::any_of(path->begin(), path->end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }))
        throw refuse("has a control character in the path of its unix socket");
    if (path->size() > address::longest_path)
        throw refuse("names a unix socket by a path of " + std::to_string(path->size()) + " bytes: the system takes " +
                     std::to_string(address::longest_path));

    // The prefix obeys the same rules as any other.
    base_url result;
    if (!prefix.empty()) {
        const std::string on_a_host = "http://localhost" + std::string(prefix);
        if (!urls::parse_uri(on_a_host)) throw refuse("has a prefix that is not a path");
        result.path_prefix = parse(on_a_host).path_prefix;
    }
    result.origin = std::string(text.substr(0, text.size() - prefix.size()));
    result.host_header = "localhost";
    result.literal = address::unix_socket(*path);
    return result;
}

base_url base_url::parse(std::string_view text, std::string_view transport, tls_scheme https) {
    if (text.size() >= unix_scheme.size() && http1::same_name(text.substr(0, unix_scheme.size()), unix_scheme))
        return parse_unix(text, text.substr(unix_scheme.size()));
    const auto refuse = [&](chm_rc code, const std::string& why) {
        return sdk::error(code, "URL '" + without_credentials(text) + "' " + why);
    };
    const auto parsed = urls::parse_uri({text.data(), text.size()});
    if (!parsed)
        throw refuse(CHM_E_INVAL, "is not of the form http://host:port/prefix (" + parsed.error().message() + ")");
    const urls::url_view& u = *parsed;

    const bool tls = u.scheme_id() == urls::scheme::https;
    if (tls && https == refused)
        throw refuse(CHM_E_NOSYS,
                     "asks for TLS, which the " + std::string(transport) +
                         " transport does not speak: use the curl transport ([transport] plugin = \"curl\")");
    if (!u.has_authority()) throw refuse(CHM_E_INVAL, "names no host: write http://host:port/prefix");
    if (!tls && u.scheme_id() != urls::scheme::http)
        throw refuse(CHM_E_NOSYS, "has a scheme that the " + std::string(transport) +
                                      " transport does not speak: it offers " +
                                      (https == offered ? "http, https and http+unix" : "http and http+unix"));
    if (u.has_userinfo()) throw refuse(CHM_E_INVAL, "has user information: give credentials as a header");
    if (u.has_query() || u.has_fragment()) throw refuse(CHM_E_INVAL, "has a query or a fragment: a base URL has none");

    base_url result;
    result.tls = tls;
    if (tls) result.port = 443;
    result.host = u.host_name().empty() ? std::string(u.host()) : std::string(u.host_name());
    if (result.host.empty()) throw refuse(CHM_E_INVAL, "names no host");
    for (const char c : result.host)
        if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '/' || c == '@' || c == '%')
            throw refuse(CHM_E_INVAL, "has a host that is not a valid name");
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
    if (result.port != (tls ? 443 : 80)) result.host_header += ":" + std::to_string(result.port);
    result.origin = (tls ? "https://" : "http://") + result.host_header;
    result.path_prefix = u.encoded_path();
    while (!result.path_prefix.empty() && result.path_prefix.back() == '/') result.path_prefix.pop_back();
    return result;
}

} // namespace chimera::stream_socket
