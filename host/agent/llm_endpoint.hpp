// Where a request goes: the server to connect to, and the path to ask for.
#pragma once

#include "measure/timeline.hpp"
#include "protocol/request_body.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// What a client needs to know of its server. Copied.
struct llm_endpoint {
    llm_api api = llm_api::ollama;
    request_target target;
    std::string api_key;    ///< empty: none. Never recorded
    std::string key_header; ///< carries the key; empty: Authorization, as a bearer token
    std::vector<std::pair<std::string, std::string>> headers; ///< added; an empty value leaves out one of our own
    std::vector<body_edit> body_edits;
    bool follow_redirects = false; ///< 307 and 308 within the origin
    nanoseconds_t drain_ns = 0;    ///< how long the end of a body is awaited once the answer is complete
    std::uint64_t max_reply_bytes = std::uint64_t{64} << 20U; ///< of one body, as sent and decoded; more is an error
    std::string model;
    std::vector<model_option> options;  ///< without the seed
    std::size_t expected_tokens = 1024; ///< of a reply: room is made for as much text beforehand
    std::optional<std::int64_t> seed;   ///< the same for every call; nothing: call_seed draws one
    std::uint64_t seed_base = 0; ///< drawn seeds depend on this, the agent and the call, so that an agent alone and the
                                 ///< same agent among others are asked the same
};

/// The seed of one call: 31 bits, so that every server takes it. From FNV-1a over its arguments.
std::int64_t call_seed(std::uint64_t base, std::string_view agent, std::uint64_t call);

} // namespace chimera::host
