#pragma once

#include "protocol/json_scratch.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace chimera::host {

/// A record's piece of the reply. Views into the record or the thread's json_scratch, until the next record is read.
struct record_content {
    std::string_view text, reasoning;
    std::uint64_t tool_call_bytes = 0; ///< of names and arguments
    std::uint64_t skipped_parts = 0;   ///< neither text nor reasoning

    bool empty() const noexcept { return text.empty() && reasoning.empty() && tool_call_bytes == 0; }
};

/// Reads content in all the forms that servers give it: a string, null, an array of parts, pieces of tool calls. Throws
/// simdjson::simdjson_error; `field` is then the one that it did so in.
class content_reader {
  public:
    /// decode: of a string is wanted more than that it is not empty.
    explicit content_reader(bool decode) noexcept : decode_(decode) {}

    /// A delta (OpenAI) or a message (Ollama's chat, proxies).
    void read_message(simdjson::ondemand::object message, record_content& to);
    /// Text, which is added to what is there.
    void read_text(simdjson::ondemand::value value, record_content& to);
    /// Reasoning, which replaces what is there: servers that changed the name send the same under both.
    void read_reasoning(simdjson::ondemand::value value, record_content& to);

    std::string_view field{}; ///< being read

  private:
    struct gathered;

    std::string_view string_of(simdjson::ondemand::value value) const;
    void gather(simdjson::ondemand::value value, bool as_reasoning, int depth, gathered& to);
    void gather_part(simdjson::ondemand::object part, bool as_reasoning, int depth, gathered& to);
    void read_tool_calls(simdjson::ondemand::value value, int depth, record_content& to);

    bool decode_;
};

} // namespace chimera::host
