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

/// Understand the bodies of POST /v1/chat/completions and /v1/completions. Throw request_error. `serial` makes the
/// reply's id; `created` is the time of the request in seconds since 1970. `parser` is scratch memory.
generation_request parse_openai_chat(const std::string& body, const options& o, simdjson::dom::parser& parser,
                                     std::uint64_t serial, std::int64_t created);
generation_request parse_openai_text(const std::string& body, const options& o, simdjson::dom::parser& parser,
                                     std::uint64_t serial, std::int64_t created);

/// Body of GET /v1/models.
std::string openai_models(const options& o);

/// Body of GET /v1/models/ID, with `id` as the path has it. Throws request_error.
std::string openai_model(const options& o, std::string_view id);

/// OpenAI's error object.
std::string openai_error(int status, std::string_view message);

} // namespace chimera::sim
