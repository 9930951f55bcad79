// Where a request goes: the server to connect to, and the path to ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chimera::host {

/// A base URL taken apart, with the path of a protocol behind it.
struct request_target {
    std::string origin; ///< scheme, host and port, or an http+unix URL up to the end of its socket
    std::string path;   ///< begins with '/'; may hold a query

    std::string url() const { return origin + path; }
};

/// api_path below the base URL's own path. The step in which both overlap stands once: "http://h/v1" and
/// "/v1/completions" give "http://h/v1/completions", since every OpenAI client wants a base URL that ends in /v1.
/// own_path (backend.path), where it is not empty, takes the place of api_path and is never shortened.
request_target target_of(std::string_view base_url, std::string_view api_path, std::string_view own_path);

/// Where a redirect's Location points to, seen from `from`; nothing where that is another origin.
std::optional<request_target> redirected(const request_target& from, std::string_view location);

} // namespace chimera::host
