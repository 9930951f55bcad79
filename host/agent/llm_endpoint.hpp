// The server of an agent: where its requests go, and what they contain.
#pragma once

#include "measure/timeline.hpp"
#include "protocol/llm_api.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chimera::host {

/// A base URL taken apart, with the path of a protocol appended.
struct request_target {
    std::string origin; ///< scheme, host and port, or an http+unix URL up to the end of its socket's path
    std::string path;   ///< begins with '/'; may hold a query

    std::string url() const { return origin + path; }
};

/// Appends api_path to the base URL. A step in which both overlap is not repeated: "http://h/v1" and "/v1/completions"
/// give "http://h/v1/completions", since every OpenAI client wants a base URL that ends in /v1. own_path
/// (backend.path), if it is not empty, replaces api_path and is never shortened.
request_target target_of(std::string_view base_url, std::string_view api_path, std::string_view own_path);

/// The target of a redirect's Location, relative to `from`; nothing if it has another origin.
std::optional<request_target> redirected(const request_target& from, std::string_view location);

/// The settings of a client for its server. Copied.
struct llm_endpoint {
    llm_api api = llm_api::ollama;
    request_target target;
    std::string api_key;    ///< empty: none. Never recorded
    std::string key_header; ///< carries the key; empty: Authorization, as a bearer token
    std::vector<std::pair<std::string, std::string>> headers; ///< added; an empty value removes one of our own
    std::vector<body_edit> body_edits;
    bool follow_redirects = false; ///< 307 and 308 within the origin
    nanoseconds_t drain_ns = 0;    ///< the longest wait for the end of the body after the answer is complete
    std::uint64_t max_reply_bytes = std::uint64_t{64} << 20U; ///< of one body, as sent and decoded; more is an error
    std::string model;
    std::vector<model_option> options;  ///< without the seed
    std::size_t expected_tokens = 1024; ///< of a reply: memory for its text is reserved beforehand
    std::optional<std::int64_t> seed;   ///< the same for every call; nothing: call_seed() gives one
    /// call_seed() depends on this, the agent and the call: an agent sends the same alone and among others.
    std::uint64_t seed_base = 0;
};

/// Names of headers are compared without regard to case.
bool same_header_name(std::string_view, std::string_view) noexcept;

/// The headers of a request to an endpoint: Accept, the API key, and the endpoint's own, which replace those of the
/// same name.
std::vector<std::pair<std::string, std::string>> headers_of(const llm_endpoint&, bool with_json_body);

/// The seed of one call, by FNV-1a over the arguments. 31 bits, so that every server accepts it.
std::int64_t call_seed(std::uint64_t base, std::string_view agent, std::uint64_t call);

} // namespace chimera::host
