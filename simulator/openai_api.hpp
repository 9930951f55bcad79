#pragma once

#include <simdjson.h>

#include "generation_request.hpp"
#include "options.hpp"

namespace chimera::sim {

/// Understands the body of POST /v1/chat/completions. Throws request_error. `serial` makes the reply's id; `created` is
/// the time of the request in seconds since 1970. `parser` is scratch memory.
generation_request parse_openai_chat(const std::string& body, const options& o, simdjson::dom::parser& parser,
                                     std::uint64_t serial, std::int64_t created);

/// OpenAI's error object.
std::string openai_error(int status, std::string_view message);

/// Body of GET /v1/models.
std::string openai_models(const options& o);

} // namespace chimera::sim
