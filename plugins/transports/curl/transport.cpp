#include "transport.hpp"

#include <unistd.h>

#include <curl/curl.h>

#include "curl_handle.hpp"
#include "session.hpp"

namespace chimera::curl {

namespace {

constexpr std::uint64_t ns_per_ms = 1'000'000;

settings checked(const sdk::options& given) {
    settings s{static_cast<long>(given.integer("buffer_size")),
               static_cast<std::size_t>(given.integer("high_water")),
               static_cast<long>(given.integer("connect_timeout_ms")),
               static_cast<std::uint64_t>(given.integer("first_byte_timeout_ms")) * ns_per_ms,
               static_cast<std::uint64_t>(given.integer("idle_timeout_ms")) * ns_per_ms,
               given.flag("tls_verify"),
               std::string(given.text("ca_file"))};
    if (s.high_water < static_cast<std::size_t>(s.buffer_size))
        throw sdk::error(CHM_E_INVAL, "option 'high_water': " + std::to_string(s.high_water) +
                                          " is less than buffer_size, " + std::to_string(s.buffer_size));
    if (!s.ca_file.empty() && ::access(s.ca_file.c_str(), R_OK) != 0)
        throw sdk::error(CHM_E_INVAL, "option 'ca_file': cannot read '" + s.ca_file + "'");
    return s;
}

/// The base URL without a final slash, ready to have a path appended. Throws for what cannot be one.
std::string checked_base(std::string_view given) {
    const auto invalid = [&](const std::string& why) {
        return sdk::error(CHM_E_INVAL, "base URL '" + std::string(given) + "': " + why);
    };
    const std::size_t colon = given.find("://");
    if (colon == std::string_view::npos) throw invalid("no scheme; it begins with http:// or https://");
    std::string scheme(given.substr(0, colon));
    for (char& c : scheme)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (scheme != "http" && scheme != "https")
        throw sdk::error(CHM_E_NOSYS, "base URL '" + std::string(given) + "': the curl transport speaks http and " +
                                          "https, not '" + scheme + "'");
    if (given.find_first_of("?#") != std::string_view::npos)
        throw invalid("a query or a fragment cannot have a path appended");

    std::string base = scheme + std::string(given.substr(colon));
    while (base.ends_with('/')) base.pop_back();
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
    return base;
}

} // namespace

transport::transport(const chm_host*, const sdk::options& given) : settings_(checked(given)) {}

chm_session* transport::open(const chm_session_args& args) {
    std::string base = checked_base(sdk::view(args.base_url));
    if (!args.reactor)
        throw sdk::error(CHM_E_NOSYS, "the curl transport needs a reactor, and this executor has none: choose another "
                                      "executor or the socket transport, or wrap it in a bridge");
    return new session(settings_, *args.reactor, std::move(base));
}

const void* transport::extension(std::string_view id) noexcept {
    return id == CHM_EXT_TIMING ? &exchange::timing_extension : nullptr;
}

} // namespace chimera::curl
