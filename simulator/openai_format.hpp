#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "reply_format.hpp"
#include "tools.hpp"

namespace chimera::sim {

/// What is the same in every object of a reply.
struct openai_identity {
    std::string_view model;
    std::uint64_t serial = 0; ///< makes the reply's id
    std::int64_t created = 0; ///< time of the request, seconds since 1970
    bool with_usage = false;  ///< stream_options.include_usage
};

/// Reply of POST /v1/chat/completions. `call`: the reply is this call, and its tokens are its pieces, the first of
/// which is the name.
std::unique_ptr<reply_format> make_openai_chat_format(const openai_identity& identity,
                                                      const std::optional<tool_call>& call);

/// Reply of POST /v1/completions.
std::unique_ptr<reply_format> make_openai_text_format(const openai_identity& identity);

/// OpenAI's error object.
std::string openai_error(int status, std::string_view message);

} // namespace chimera::sim
