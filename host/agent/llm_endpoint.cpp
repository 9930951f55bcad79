#include "agent/llm_endpoint.hpp"

#include "profile/profile.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
#include <cctype>

namespace chimera::host {
namespace {

/// The length of the origin in a URL.
std::size_t origin_length(std::string_view url) {
    const std::size_t scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) return url.size();
    const std::size_t authority = scheme_end + 3;
    // http+unix:///run/server.sock has no host: the whole path is the socket's.
    if (url.substr(0, scheme_end) == "http+unix" && url.substr(authority).starts_with('/')) return url.size();
    return std::min(url.find('/', authority), url.size());
}

} // namespace

request_target target_of(std::string_view base_url, std::string_view api_path, std::string_view own_path) {
    const std::size_t length = origin_length(base_url);
    std::string_view prefix = base_url.substr(length);
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
    std::string path(prefix);
    if (!own_path.empty()) {
        path += own_path;
    } else {
        const std::string_view first_step = api_path.substr(0, api_path.find('/', 1));
        path += prefix.ends_with(first_step) ? api_path.substr(first_step.size()) : api_path;
    }
    return {std::string(base_url.substr(0, length)), std::move(path)};
}

std::optional<request_target> redirected(const request_target& from, std::string_view location) {
    namespace urls = boost::urls;
    // The host of http+unix is not a real one: only a path stays on the socket.
    if (from.origin.starts_with("http+unix:"))
        return location.starts_with('/') && !location.starts_with("//")
                   ? std::optional(request_target{from.origin, std::string(location)})
                   : std::nullopt;
    const std::string asked_for = from.url(); // the parsed URLs are views
    const auto base = urls::parse_uri(asked_for);
    const auto reference = urls::parse_uri_reference(location);
    if (!base || !reference) return std::nullopt;
    urls::url target;
    if (!urls::resolve(*base, *reference, target)) return std::nullopt;
    const auto port_of = [](const urls::url_view_base& u) {
        return u.has_port() && !u.port().empty() ? std::string(u.port()) : u.scheme() == "https" ? "443" : "80";
    };
    urls::url asked(*base);
    asked.normalize();
    target.normalize();
    if (target.scheme() != asked.scheme() || target.encoded_host() != asked.encoded_host() ||
        port_of(target) != port_of(asked))
        return std::nullopt;
    std::string path(target.encoded_path());
    if (path.empty()) path.push_back('/');
    if (target.has_query()) path += '?' + std::string(target.encoded_query());
    return request_target{from.origin, std::move(path)};
}

bool same_header_name(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b,
                              [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::vector<std::pair<std::string, std::string>> headers_of(const llm_endpoint& endpoint, bool with_json_body) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (with_json_body) headers.emplace_back("Content-Type", "application/json");
    headers.emplace_back("Accept", "*/*");
    if (!endpoint.api_key.empty() && endpoint.key_header.empty())
        headers.emplace_back("Authorization", "Bearer " + endpoint.api_key);
    else if (!endpoint.api_key.empty())
        headers.emplace_back(endpoint.key_header, endpoint.api_key);
    for (const auto& [name, value] : endpoint.headers) {
        std::erase_if(headers, [&name = name](const auto& own) { return same_header_name(own.first, name); });
        if (!value.empty()) headers.emplace_back(name, value);
    }
    return headers;
}

std::int64_t call_seed(std::uint64_t base, std::string_view agent, std::uint64_t call) {
    std::string bytes;
    const auto add = [&bytes](std::uint64_t number) {
        for (int i = 0; i < 64; i += 8) bytes += static_cast<char>(number >> i);
    };
    add(base);
    bytes += agent;
    add(call);
    return static_cast<std::int64_t>((fnv1a(bytes) >> 32U) & 0x7FFFFFFFU);
}

} // namespace chimera::host
