#pragma once

#include "protocol/llm_api.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chimera::host {

/// One option for the model, in Ollama's names: num_gpu, num_ctx, temperature, top_p, top_k, repeat_penalty,
/// num_predict, seed, ...
struct model_option {
    std::string key;
    std::variant<bool, std::int64_t, double, std::string> value;
};

/// A change to the JSON that is sent. A key with dots ("options.num_ctx") goes into nested objects, which are made
/// where they are missing.
struct body_edit {
    std::string key;
    std::string json; ///< the value, as JSON text; empty: the key is left out
};

struct generate_request {
    std::string model;
    std::string prompt;
    std::optional<std::string> system;
    std::vector<model_option> options; ///< sent in this order
    std::vector<body_edit> edits{};    ///< made last, in this order
};

/// What to POST. Bytes of the request that are not UTF-8 are sent as U+FFFD.
struct request_body {
    std::string_view path; ///< static: path_of(api)
    std::string json;
    std::vector<std::string> ignored_options; ///< keys that this API has no field for, in their order; not sent
};

/// Ollama's APIs (/api/generate, /api/chat): every option goes into `options` as it is; nothing is ignored. OpenAI's
/// (/v1/chat/completions, /v1/completions): temperature, top_p and seed keep their names, num_predict becomes
/// max_tokens (a negative one means "no limit" and is left out to that effect); all others are ignored; usage in the
/// stream is asked for; /v1/completions has no field for a system prompt, which is put before the prompt.
///
/// Throws std::invalid_argument when the value of an edit is not JSON.
request_body build_request(llm_api api, const generate_request& request);

/// Those of the top-level fields of `sent` (a JSON object) that a server's error text names as a word, in the order in
/// which they were sent; without `model`, `messages`, `prompt` and `stream`, which no request can do without.
std::vector<std::string> fields_named_in(std::string_view error_text, std::string_view sent);

} // namespace chimera::host
