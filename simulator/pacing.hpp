#pragma once

#include <cstdint>
#include <string_view>

#include "options.hpp"

namespace chimera::sim {

/// A well-mixed 64-bit value of `value` (splitmix64's finaliser, Steele et al. 2014).
constexpr std::uint64_t mix(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
}

/// FNV-1a, for prompts: the same on every machine and library.
std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0xcbf29ce484222325U);

/// Tokens per second of one reply that decodes alone; 0: unpaced.
///     rate = R * (f + (1 - f) * min(num_gpu, layers) / layers)
/// A negative num_gpu means that all layers are on the GPU.
double decode_rate(const options& o, std::int64_t num_gpu);

/// How long `prompt_tokens` take: prompt_tokens / P * (1 + c * num_ctx / 8192) seconds.
std::int64_t prefill_ns(const options& o, std::uint32_t prompt_tokens, std::uint32_t num_ctx);

/// Reply length of one request: uniform in its range, a function of the three seeds alone.
std::uint32_t draw_reply_tokens(std::uint32_t min, std::uint32_t max, std::uint64_t reply_seed);

/// Where in decode progress (nanoseconds of a decoder that runs alone) each token of a reply is due:
///     due(i) = start + (i + 1 + u_i) * interval,   u_i uniform in [-jitter/2, +jitter/2], 0 for the last token
/// Each is computed from the start, so nothing accumulates, and the order of tokens never changes.
class token_grid {
  public:
    token_grid() = default;
    token_grid(std::int64_t start, double tokens_per_s, std::uint32_t count, double jitter, std::uint64_t seed);

    std::int64_t due(std::uint32_t token) const {
        double place = static_cast<double>(token) + 1.0;
        if (jitter_ > 0 && token + 1 < count_) {
            place += offset(token);
        }
        return start_ + static_cast<std::int64_t>(place * interval_ns_);
    }

  private:
    double offset(std::uint32_t token) const;

    std::int64_t start_ = 0;
    double interval_ns_ = 0;
    std::uint32_t count_ = 0;
    double jitter_ = 0;
    std::uint64_t seed_ = 0;
};

} // namespace chimera::sim
