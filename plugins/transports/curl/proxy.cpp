#include "proxy.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "curl_handle.hpp"
#include "http1/http_text.hpp"

namespace chimera::curl {

namespace {

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
