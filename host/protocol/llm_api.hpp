#pragma once

#include <cstdint>
#include <string_view>

namespace chimera::host {

/// The protocol that a server speaks.
enum class llm_api : std::uint8_t {
    ollama,             ///< POST /api/generate, newline-delimited JSON
    openai,             ///< POST /v1/chat/completions, server-sent events
    ollama_chat,        ///< POST /api/chat, newline-delimited JSON
    openai_completions, ///< POST /v1/completions, server-sent events
};

/// Records are newline-delimited JSON, and the server tells its own durations.
constexpr bool is_ollama(llm_api api) noexcept { return api == llm_api::ollama || api == llm_api::ollama_chat; }

/// "ollama", "openai", "ollama_chat", "openai_completions": the word of `backend.api`.
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

} // namespace chimera::host
