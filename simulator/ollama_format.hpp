#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "reply_format.hpp"
#include "tools.hpp"

namespace chimera::sim {

/// Which of Ollama's two endpoints a reply belongs to: text stands in `response`, or in `message`.
enum class ollama_endpoint { generate, chat };

/// `with_context`: the final record of /api/generate has the `context` array. `only_reason`: the reply says no more
/// than that (`load`, `unload`); empty for others. `call`: the reply is this call, and its tokens are its pieces.
std::unique_ptr<reply_format> make_ollama_format(ollama_endpoint endpoint, std::string_view model, bool with_context,
                                                 std::string_view only_reason, const std::optional<tool_call>& call);

/// `{"error": message}`
std::string ollama_error(std::string_view message);

} // namespace chimera::sim
