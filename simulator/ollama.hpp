#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "generation_request.hpp"
#include "options.hpp"
#include "reply_format.hpp"
#include "tools.hpp"

namespace chimera::sim {

class wall_clock;

/// Understand the bodies of POST /api/generate and /api/chat. Throw request_error. `parser` is scratch memory.
generation_request parse_ollama_generate(const std::string& body, const options& o, simdjson::dom::parser& parser);
generation_request parse_ollama_chat(const std::string& body, const options& o, simdjson::dom::parser& parser);

/// Bodies of GET /api/tags and GET /api/version.
std::string ollama_tags(const options& o);
std::string ollama_version();

/// Body of GET /api/ps; `loaded` has no model where none is. `now` is a monotonic stamp.
std::string ollama_running(const options& o, const runner_key& loaded, std::int64_t now, wall_clock& clock);

/// Answer to the body of POST /api/show. Throws request_error.
std::string ollama_show(const std::string& body, const options& o, simdjson::dom::parser& parser);

/// `{"error": message}`
std::string ollama_error(std::string_view message);

} // namespace chimera::sim
