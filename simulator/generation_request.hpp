#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "model_runner.hpp"
#include "reply_format.hpp"

namespace chimera::sim {

/// A request to generate, understood and checked, whatever its protocol.
struct generation_request {
    runner_key runner;
    std::uint32_t prompt_tokens = 0;
    std::uint32_t answer_tokens = 0;                                 ///< wanted, without reasoning
    std::uint32_t limit = std::numeric_limits<std::uint32_t>::max(); ///< of all tokens of the reply
    std::uint32_t reasoning_tokens = 0;
    std::uint32_t reply_tokens = 0; ///< reasoning and answer within the limit; 0: only load (or unload) the model
    bool capped = false;
    bool unload = false;
    bool stream = true;
    bool calls_tool = false;         ///< the answer is a tool call: its tokens are the content record's own texts
    bool call_in_one_record = false; ///< no token of the call is sent but its last, whose record holds all of it
    std::uint64_t reply_seed = 0;
    std::unique_ptr<reply_format> format;

    /// Sets the lengths of the reply; `answer_tokens` and `limit` must have been set.
    void set_reasoning(std::uint32_t tokens) {
        const auto natural = answer_tokens + tokens;
        reply_tokens = std::min(natural, limit);
        reasoning_tokens = std::min(tokens, reply_tokens);
        capped = reply_tokens < natural;
    }
};

/// The request is answered with an error status instead.
struct request_error {
    int status = 400;
    std::string message;
};

} // namespace chimera::sim
