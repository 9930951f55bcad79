#include "pacing.hpp"

#include <algorithm>

namespace chimera::sim {

std::uint64_t hash_text(std::string_view text, std::uint64_t seed) {
    std::uint64_t hash = seed;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return hash;
}

double decode_rate(const options& o, std::int64_t num_gpu) {
    const double layers = o.layers;
    const double on_gpu = num_gpu < 0 ? layers : std::min(static_cast<double>(num_gpu), layers);
    return o.decode_tokens_per_s * (o.cpu_decode_fraction + (1 - o.cpu_decode_fraction) * on_gpu / layers);
}

std::int64_t prefill_ns(const options& o, std::uint32_t prompt_tokens, std::uint32_t num_ctx) {
    if (o.prefill_tokens_per_s <= 0) {
        return 0;
    }
    const double slowdown = 1 + o.ctx_prefill_cost * num_ctx / 8192.0;
    return static_cast<std::int64_t>(1e9 * prompt_tokens / o.prefill_tokens_per_s * slowdown);
}

std::uint32_t draw_reply_tokens(std::uint32_t min, std::uint32_t max, std::uint64_t reply_seed) {
    const std::uint64_t span = std::uint64_t{max} - min + 1;
    return min + static_cast<std::uint32_t>(((mix(reply_seed) >> 32U) * span) >> 32U);
}

token_grid::token_grid(std::int64_t start, double tokens_per_s, std::uint32_t count, double jitter, std::uint64_t seed)
    : start_(start), interval_ns_(tokens_per_s > 0 ? 1e9 / tokens_per_s : 0), count_(count), jitter_(jitter),
      seed_(seed) {}

double token_grid::offset(std::uint32_t token) const {
    const double unit = static_cast<double>(mix(seed_ + token) >> 11U) * 0x1p-53;
    return jitter_ * (unit - 0.5);
}

} // namespace chimera::sim
