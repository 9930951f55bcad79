#pragma once

#include "protocol/llm_stream.hpp"

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

struct generate_request {
    std::string model;
    std::string prompt;
    std::optional<std::string> system;
    std::vector<model_option> options; ///< sent in this order
};

/// What to POST. Bytes of the request that are not UTF-8 are sent as U+FFFD.
struct request_body {
    std::string_view path; ///< static: "/api/generate" or "/v1/chat/completions"
    std::string json;
    std::vector<std::string> ignored_options; ///< keys that this API has no field for, in their order; not sent
};

/// For Ollama's /api/generate: every option goes into `options` as it is; nothing is ignored.
request_body build_ollama_generate(const generate_request& request);

/// For /v1/chat/completions: temperature, top_p and seed keep their names, num_predict becomes max_tokens (a negative
/// one means "no limit" and is left out to that effect); all others are ignored. Asks for usage in the stream.
request_body build_openai_chat(const generate_request& request);

/// One of the two above.
request_body build_request(llm_api api, const generate_request& request);

} // namespace chimera::host
