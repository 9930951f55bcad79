#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "model_runner.hpp"
#include "reply_format.hpp"

namespace chimera::sim {

/// A request to generate, understood and checked, whatever its protocol.
struct generation_request {
    runner_key runner;
    std::uint32_t prompt_tokens = 0;
    std::uint32_t reasoning_tokens = 0;
    std::uint32_t reply_tokens = 0; ///< 0: only load (or unload) the model
    bool capped = false;
    bool unload = false;
    bool stream = true;
    std::uint64_t reply_seed = 0;
    std::unique_ptr<reply_format> format;
};

/// The request is answered with an error status instead.
struct request_error {
    int status = 400;
    std::string message;
};

} // namespace chimera::sim
