#pragma once

#include <simdjson.h>

#include "generation_request.hpp"
#include "options.hpp"

namespace chimera::sim {

/// Understands the body of POST /api/generate. Throws request_error. `parser` is scratch memory.
generation_request parse_ollama_generate(const std::string& body, const options& o, simdjson::dom::parser& parser);

/// `{"error": message}`
std::string ollama_error(std::string_view message);

/// Bodies of GET /api/tags and GET /api/version.
std::string ollama_tags(const options& o);
std::string ollama_version();

} // namespace chimera::sim
