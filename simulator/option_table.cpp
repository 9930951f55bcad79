#include "option_table.hpp"
#include <array>

namespace chimera::sim {

namespace {

constexpr double most_reply_tokens = 10'000'000;

constexpr chm_option number(const char* name, const char* help, const char* initial, double min, double max) {
    return {sizeof(chm_option), CHM_OPT_FLOAT, name, help, initial, nullptr, min, max};
}
constexpr chm_option whole(const char* name, const char* help, const char* initial, double min, double max) {
    return {sizeof(chm_option), CHM_OPT_INT, name, help, initial, nullptr, min, max};
}
constexpr chm_option flag(const char* name, const char* help) {
    return {sizeof(chm_option), CHM_OPT_BOOL, name, help, "false", nullptr, 1, 0};
}
constexpr chm_option text(const char* name, const char* help) {
    return {sizeof(chm_option), CHM_OPT_STRING, name, help, "", nullptr, 1, 0};
}

constexpr auto options = std::to_array<chm_option>({
    number("load_ms", "Time to load a model, or to change its num_gpu or num_ctx", "100", 0, 3.6e6),
    number("prefill_tokens_per_s", "Prompt tokens per second; 0: no time", "5000", 0, 1e9),
    number("decode_tokens_per_s", "Tokens per second of one reply; 0: unpaced", "100", 0, 1e6),
    number("jitter", "Spread of a token around its place, as a fraction of the interval", "0", 0, 1),
    whole("records_per_send", "Records in one HTTP chunk and one send", "1", 1, 256),
    whole("reply_tokens_min", "Shortest reply", "200", 1, most_reply_tokens),
    whole("reply_tokens_max", "Longest reply", "400", 1, most_reply_tokens),
    whole("reasoning_tokens", "Reasoning tokens before the reply", "0", 0, 1e6),
    whole("seed", "Seed of reply lengths, texts and jitter", "1", 0, 18446744073709551615.0),
    flag("context", "Send the `context` array in Ollama's final record"),
    whole("slots", "Replies in progress at once, others queue; 0: no limit", "0", 0, 1e6),
    whole("layers", "Layers of the model; fewer on the GPU (num_gpu) decode slower", "34", 1, 10000),
    number("cpu_decode_fraction", "Share of the decode rate left with num_gpu = 0", "0.1", 0.0001, 1),
    whole("num_ctx", "Context length of a request that names none", "4096", 1, 1e7),
    number("ctx_prefill_cost", "Prefill slowdown for each 8192 tokens of num_ctx", "0.02", 0, 10),
    number("contention", "0: decoders do not disturb each other; 1: they share the rate", "0", 0, 1),
});

constexpr auto repeatable = std::to_array<chm_option>({
    text("model", "Model that exists; none given: every name is served"),
    text("reply_range", "TEXT=MIN:MAX, reply length for prompts containing TEXT"),
    text("fault", "KIND[,after=N][,requests=M][,ms=T][,tokens=K][,reason=R]; see docs/simulator.md"),
});

} // namespace

std::span<const chm_option> option_table() { return options; }
std::span<const chm_option> repeatable_option_table() { return repeatable; }

} // namespace chimera::sim
