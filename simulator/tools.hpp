#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace chimera::sim {

class prompt_reader;

/// The call of a tool that a reply makes instead of saying something.
struct tool_call {
    std::string name;      ///< as a JSON string, quotes included
    std::string arguments; ///< a JSON object
};

/// The tools of a chat request.
struct tool_request {
    simdjson::dom::array tools;
    bool any = false;         ///< there are tools
    bool never = false;       ///< tool_choice "none"
    bool always = false;      ///< tool_choice "required", or a function
    std::string_view only;    ///< the function that tool_choice names
    bool has_results = false; ///< the last message is the result of a tool
};

/// Reads `tools` and (where the protocol has it) `tool_choice`. Definitions of tools are part of the prompt. Throws
/// request_error.
tool_request read_tools(simdjson::dom::object root, bool has_choice, prompt_reader& prompt);

/// The call that the reply is to make, if any. One rule for both protocols: a request with tools is answered by a call
/// of the first one (or of the one that tool_choice names), unless tool_choice is "none", or the last message is a
/// tool's result and tool_choice does not insist. Arguments fit the tool's JSON schema and are a function of it and of
/// `seed`. Throws request_error.
std::optional<tool_call> choose_call(const tool_request& request, std::uint64_t seed);

/// The arguments cut into pieces as tokens would be: never within a character, none longer than 32 bytes.
std::vector<std::string> pieces_of(std::string_view arguments);

} // namespace chimera::sim
