// URLs as a user gives them: the server's base URL, and the proxy's.
#include "url.hpp"

#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "curl_handle.hpp"
#include "http1/http_text.hpp"

namespace chimera::curl {

namespace {

constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

std::string without_final_slashes(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

template <class Invalid>
void check_for_curl(const std::string& base, const Invalid& invalid) {
    const url_handle url(curl_url());
    if (!url) throw std::bad_alloc();
    if (const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0))
        throw invalid(curl_url_strerror(code));
    if (char* port = nullptr; curl_url_get(url.get(), CURLUPART_PORT, &port, 0) == CURLUE_OK) {
        const bool none = std::string_view(port) == "0";
        curl_free(port);
        if (none) throw invalid("has a port outside of 1 to 65535");
    }
    char* user = nullptr;
    if (curl_url_get(url.get(), CURLUPART_USER, &user, 0) == CURLUE_OK) {
        curl_free(user);
        throw sdk::error(CHM_E_INVAL,
                         "a base URL with a user name or password is refused; send an Authorization header");
    }
}

base_url parse_unix(std::string_view text, std::string_view behind_scheme) {
    const auto invalid = [&](const std::string& why) {
        return sdk::error(CHM_E_INVAL, "base URL '" + std::string(text) + "': " + why);
    };
    const std::size_t host_end = std::min(behind_scheme.find('/'), behind_scheme.size());
    const bool whole_path = host_end == 0; // no host: all of it is the socket's path
    const std::string_view encoded = whole_path ? behind_scheme : behind_scheme.substr(0, host_end);
    const std::string_view prefix = whole_path ? std::string_view{} : behind_scheme.substr(host_end);
    if (!whole_path && encoded.find('@') != std::string_view::npos)
        throw sdk::error(CHM_E_INVAL, "a base URL with a user name or password is refused (write %40 for an '@' in the "
                                      "path of a unix socket)");
    if (!whole_path && encoded.find(':') != std::string_view::npos)
        throw invalid("a unix socket has no port (write %3A for a ':' in its path)");

    const auto decoded = http1::percent_decoded(encoded);
    if (!decoded) throw invalid("a '%' is not followed by two hexadecimal digits");
    const std::string& path = *decoded;
    if (!path.starts_with('/') || path.ends_with('/'))
        throw invalid("does not name a unix socket by its absolute path; write http+unix://%2Frun%2Fname.sock/prefix");
    if (std::any_of(path.begin(), path.end(),
                    [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }))
        throw invalid("has a control character in the path of its unix socket");
    if (path.size() > longest_socket_path)
        throw invalid("names the unix socket '" + path + "' by a path of " + std::to_string(path.size()) +
                      " bytes; the system takes " + std::to_string(longest_socket_path));
    base_url result;
    result.unix_socket = path;
    result.shown = without_final_slashes(std::string(text));
    result.for_curl = without_final_slashes("http://localhost" + std::string(prefix));
    check_for_curl(result.for_curl, invalid);
    return result;
}

/// A part of a URL; empty when it has none.
std::string part(const url_handle& url, CURLUPart what, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url.get(), what, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
}

/// given_by: the option or variable, for messages. The URL itself may hold a password, so no message shows it.
proxy parse_one(const std::string& given_by, const std::string& text) {
    const auto invalid = [&](const std::string& why) { return sdk::error(CHM_E_INVAL, given_by + ": " + why); };
    const url_handle url(curl_url());
    if (!url) throw std::bad_alloc();
    // Without a scheme it is an http proxy, as for curl.
    const std::string whole = text.find("://") == std::string::npos ? "http://" + text : text;
    if (const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, whole.c_str(), CURLU_NON_SUPPORT_SCHEME))
        throw invalid(std::string("not the URL of a proxy, as http://host:port (") + curl_url_strerror(code) + ")");
    const std::string scheme = part(url, CURLUPART_SCHEME), host = part(url, CURLUPART_HOST);
    constexpr std::array<std::string_view, 6> known{"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
    if (std::find(known.begin(), known.end(), scheme) == known.end())
        throw invalid("the scheme " + http1::shown(scheme) +
                      " is not one of http, https, socks4, socks4a, socks5, socks5h");
    if (host.empty()) throw invalid("names no host");

    proxy result;
    const auto decoded = [&](CURLUPart what) {
        auto bytes = http1::percent_decoded(part(url, what));
        if (!bytes) throw invalid("in its user name or password a '%' is not followed by two hexadecimal digits");
        return std::move(*bytes);
    };
    result.user = decoded(CURLUPART_USER);
    result.password = decoded(CURLUPART_PASSWORD);
    for (const std::string* text_of : {&result.user, &result.password})
        if (std::any_of(text_of->begin(), text_of->end(), http1::is_control))
            throw invalid("has a control character in its user name or password");
    const std::string port = part(url, CURLUPART_PORT);
    result.url = scheme + "://" + host + (port.empty() ? "" : ":" + port);
    return result;
}

/// The first of these variables that is set and not empty. Names it.
std::pair<const char*, std::string> first_set(std::initializer_list<const char*> names) {
    for (const char* name : names)
        if (const char* value = std::getenv(name); value && *value) return {name, value};
    return {nullptr, {}};
}

proxy from_environment(std::initializer_list<const char*> names) {
    const auto [name, value] = first_set(names);
    return name ? parse_one(std::string("environment variable ") + name, value) : proxy{};
}

} // namespace

base_url base_url::parse(std::string_view text) {
    const auto invalid = [&](const std::string& why) {
        return sdk::error(CHM_E_INVAL, "base URL '" + std::string(text) + "': " + why);
    };
    const std::size_t colon = text.find("://");
    if (colon == std::string_view::npos) throw invalid("no scheme; it begins with http://, https:// or http+unix://");
    std::string scheme(text.substr(0, colon));
    for (char& c : scheme)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (scheme != "http" && scheme != "https" && scheme != "http+unix")
        throw sdk::error(CHM_E_NOSYS, "base URL '" + std::string(text) + "': the curl transport speaks http, https " +
                                          "and http+unix, not '" + scheme + "'");
    if (text.find_first_of("?#") != std::string_view::npos)
        throw invalid("a query or a fragment cannot have a path appended");
    if (scheme == "http+unix") return parse_unix(text, text.substr(colon + 3));

    base_url result;
    result.shown = result.for_curl = without_final_slashes(scheme + std::string(text.substr(colon)));
    result.tls = scheme == "https";
    check_for_curl(result.for_curl, invalid);
    return result;
}

proxy_choice proxy_choice::parse(std::string_view option) {
    if (option.empty()) return {};
    if (option != "env") {
        const proxy one = parse_one("option 'proxy'", std::string(option));
        return {one, one, {}};
    }
    // curl leaves HTTP_PROXY out, because in a CGI program a client can set it. This is not one.
    return {from_environment({"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}),
            from_environment({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}),
            first_set({"no_proxy", "NO_PROXY"}).second};
}

} // namespace chimera::curl
