#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "fault.hpp"

namespace chimera::sim {

/// Reply lengths for prompts that contain `match`.
struct reply_range {
    std::string match;
    std::uint32_t min = 0;
    std::uint32_t max = 0;
};

/// Everything that one server instance can be told. The laws behind the figures are in docs/simulator.md.
struct options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0; ///< 0: the kernel chooses
    std::vector<std::string> models;

    double load_ms = 100;
    double prefill_tokens_per_s = 5000; ///< 0: prefill takes no time
    double decode_tokens_per_s = 100;   ///< 0: unpaced
    double jitter = 0;
    std::uint32_t records_per_send = 1;

    std::uint32_t reply_tokens_min = 200;
    std::uint32_t reply_tokens_max = 400;
    std::vector<reply_range> reply_ranges;
    std::uint32_t reasoning_tokens = 0;
    std::uint64_t seed = 1;
    bool context = false;

    std::uint32_t slots = 0; ///< 0: unlimited
    std::uint32_t layers = 34;
    double cpu_decode_fraction = 0.1;
    std::uint32_t num_ctx = 4096;
    double ctx_prefill_cost = 0.02;

    std::string shared_gpu; ///< empty: the GPU is this instance's alone
    double contention = 0;

    std::uint32_t request_timeout_ms = 60'000; ///< for a client to send a request whole; 0: none

    std::vector<fault_spec> faults;
    bool exit_with_parent = false;
    bool quiet = false;
};

/// The program has nothing to serve: help, version (status 0, text for stdout) or a usage error (status 2, for stderr).
struct early_exit {
    int status = 0;
    std::string text;
};

using parsed_options = std::variant<options, early_exit>;

/// Parses and validates the command line. Never prints and never exits.
parsed_options parse_options(int argc, const char* const* argv);

} // namespace chimera::sim
