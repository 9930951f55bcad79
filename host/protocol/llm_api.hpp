// The protocols that a model server speaks, and the request that is posted to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chimera::host {

enum class llm_api : std::uint8_t {
    ollama,             ///< POST /api/generate, newline-delimited JSON
    openai,             ///< POST /v1/chat/completions, server-sent events
    ollama_chat,        ///< POST /api/chat, newline-delimited JSON
    openai_completions, ///< POST /v1/completions, server-sent events
};

/// Records are newline-delimited JSON, and the server sends its own durations.
constexpr bool is_ollama(llm_api api) noexcept { return api == llm_api::ollama || api == llm_api::ollama_chat; }

/// "ollama", "openai", "ollama_chat", "openai_completions": the values of `backend.api`.
constexpr std::string_view name_of(llm_api api) noexcept {
    switch (api) {
    case llm_api::ollama:
        return "ollama";
    case llm_api::openai:
        return "openai";
    case llm_api::ollama_chat:
        return "ollama_chat";
    case llm_api::openai_completions:
        return "openai_completions";
    }
    return "unknown";
}

/// The path that a request is posted to, unless the profile names another.
constexpr std::string_view path_of(llm_api api) noexcept {
    switch (api) {
    case llm_api::ollama:
        return "/api/generate";
    case llm_api::openai:
        return "/v1/chat/completions";
    case llm_api::ollama_chat:
        return "/api/chat";
    case llm_api::openai_completions:
        return "/v1/completions";
    }
    return "/";
}

/// One option for the model, under Ollama's name: num_gpu, num_ctx, temperature, top_p, top_k, repeat_penalty,
/// num_predict, seed, ...
struct model_option {
    std::string key;
    std::variant<bool, std::int64_t, double, std::string> value;
};

/// A change to the JSON that is sent. A key with dots ("options.num_ctx") names a field of nested objects, which are
/// created if they are missing.
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

/// The request to POST. Bytes of the prompt that are not UTF-8 are sent as U+FFFD.
struct request_body {
    std::string_view path; ///< static: path_of(api)
    std::string json;
    std::vector<std::string> ignored_options; ///< keys that this API has no field for, in their order; not sent
};

/// Ollama's APIs (/api/generate, /api/chat): each option goes into `options` unchanged; none is ignored.
///
/// OpenAI's APIs (/v1/chat/completions, /v1/completions): temperature, top_p and seed keep their names; num_predict
/// becomes max_tokens, and a negative one, which means "no limit", is left out; all others are ignored. The request
/// asks for usage in the stream. /v1/completions has no field for a system prompt: it is put in front of the prompt.
///
/// Throws std::invalid_argument when the value of an edit is not JSON.
request_body build_request(llm_api api, const generate_request& request);

/// The top-level fields of `sent` (a JSON object) that a server's error text names as a word, in the order in which
/// they were sent. Never `model`, `messages`, `prompt` or `stream`, which a request needs.
std::vector<std::string> fields_named_in(std::string_view error_text, std::string_view sent);

} // namespace chimera::host
