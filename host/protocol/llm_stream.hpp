#pragma once

#include "protocol/llm_api.hpp"
#include "protocol/ollama.hpp"
#include "protocol/openai.hpp"

#include <cstdint>
#include <string_view>
#include <variant>

namespace chimera::host {

/// The response stream of any API, held by value: one branch for each chunk, none for each record.
/// Threads, lifetimes and allocation as in ollama_stream.
class llm_stream {
  public:
    explicit llm_stream(llm_api api, const stream_options& options = {})
        : stream_(is_ollama(api) ? either(ollama_stream(options)) : either(openai_stream(options))) {}

    feed_result feed(std::string_view chunk) {
        return std::visit([chunk](auto& stream) { return stream.feed(chunk); }, stream_);
    }
    feed_result finish() {
        return std::visit([](auto& stream) { return stream.finish(); }, stream_);
    }
    void reset() {
        std::visit([](auto& stream) { stream.reset(); }, stream_);
    }
    const stream_state& state() const noexcept {
        return std::visit([](const auto& stream) -> const stream_state& { return stream.state(); }, stream_);
    }

  private:
    using either = std::variant<ollama_stream, openai_stream>;

    either stream_;
};

} // namespace chimera::host
