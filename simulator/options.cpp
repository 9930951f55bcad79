#include "options.hpp"

#include <charconv>
#include <sstream>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace chimera::sim {
namespace {

constexpr std::uint32_t most_reply_tokens = 10'000'000;

std::uint32_t parse_whole(std::string_view text, std::uint32_t most, std::string_view what) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > most) {
        throw std::invalid_argument(fmt::format("{}: expected a whole number of 0 to {}, got '{}'", what, most, text));
    }
    return value;
}

/// As CLI::Range, but NaN is outside of every range.
CLI::Validator between(double least, double most) {
    const auto check = [least, most](const std::string& text) {
        double value = 0;
        const bool inside = CLI::detail::lexical_cast(text, value) && value >= least && value <= most;
        return inside ? std::string() : fmt::format("'{}' is not a number of {} to {}", text, least, most);
    };
    return {check, fmt::format("{} to {}", least, most)};
}

/// `HOST:PORT`, an IPv6 host in brackets.
void parse_listen(const std::string& text, options& result) {
    const auto colon = text.rfind(':');
    auto host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (colon == std::string::npos || host.empty() || (host.find(':') != std::string::npos && !bracketed)) {
        throw std::invalid_argument(
            fmt::format("--listen {}: expected HOST:PORT, for example 127.0.0.1:0 or [::1]:11434", text));
    }
    result.host = bracketed ? host.substr(1, host.size() - 2) : host;
    result.port = static_cast<std::uint16_t>(parse_whole(std::string_view(text).substr(colon + 1), 65535, "--listen"));
}

/// `TEXT=MIN:MAX`; TEXT may itself contain '='.
reply_range parse_reply_range(const std::string& text) {
    const auto equals = text.rfind('=');
    const auto colon = text.rfind(':');
    if (equals == std::string::npos || equals == 0 || colon == std::string::npos || colon < equals) {
        throw std::invalid_argument(fmt::format("--reply-range {}: expected TEXT=MIN:MAX", text));
    }
    const std::string_view view = text;
    reply_range range{text.substr(0, equals),
                      parse_whole(view.substr(equals + 1, colon - equals - 1), most_reply_tokens, "--reply-range"),
                      parse_whole(view.substr(colon + 1), most_reply_tokens, "--reply-range")};
    if (range.min < 1 || range.min > range.max) {
        throw std::invalid_argument(fmt::format("--reply-range {}: needs 1 <= MIN <= MAX", text));
    }
    return range;
}

void add_options(CLI::App& app, options& o, std::string& listen, std::vector<std::string>& ranges,
                 std::vector<std::string>& faults) {
    const auto whole = [](double most) { return between(0, most); };
    app.add_option("--listen", listen, "HOST:PORT to serve on; port 0: one that is free; IPv6 as [::1]:0")
        ->capture_default_str();
    app.add_option("--model", o.models, "Model that exists (repeatable); none given: every name is served")
        ->allow_extra_args(false);

    app.add_option("--load-ms", o.load_ms, "Time to load a model, or to change its num_gpu or num_ctx")
        ->check(between(0.0, 3.6e6))
        ->capture_default_str()
        ->group("Pace");
    app.add_option("--prefill-tokens-per-s", o.prefill_tokens_per_s, "Prompt tokens per second; 0: no time")
        ->check(between(0.0, 1e9))
        ->capture_default_str()
        ->group("Pace");
    app.add_option("--decode-tokens-per-s", o.decode_tokens_per_s, "Tokens per second of one reply; 0: unpaced")
        ->check(between(0.0, 1e6))
        ->capture_default_str()
        ->group("Pace");
    app.add_option("--jitter", o.jitter, "Spread of a token around its place, as a fraction of the interval")
        ->check(between(0.0, 1.0))
        ->capture_default_str()
        ->group("Pace");
    app.add_option("--records-per-send", o.records_per_send, "Records in one HTTP chunk and one send")
        ->check(between(1.0, 256.0))
        ->capture_default_str()
        ->group("Pace");

    app.add_option("--reply-tokens-min", o.reply_tokens_min, "Shortest reply")
        ->check(between(1.0, double{most_reply_tokens}))
        ->capture_default_str()
        ->group("Reply");
    app.add_option("--reply-tokens-max", o.reply_tokens_max, "Longest reply")
        ->check(between(1.0, double{most_reply_tokens}))
        ->capture_default_str()
        ->group("Reply");
    app.add_option("--reply-range", ranges, "TEXT=MIN:MAX, reply length for prompts containing TEXT (repeatable)")
        ->allow_extra_args(false)
        ->group("Reply");
    app.add_option("--reasoning-tokens", o.reasoning_tokens, "Reasoning tokens before the reply (OpenAI only)")
        ->check(whole(1e6))
        ->capture_default_str()
        ->group("Reply");
    app.add_option("--seed", o.seed, "Seed of reply lengths, texts and jitter")->capture_default_str()->group("Reply");
    app.add_flag("--context", o.context, "Send the `context` array in Ollama's final record")->group("Reply");

    app.add_option("--slots", o.slots, "Replies in progress at once, others queue; 0: no limit")
        ->check(whole(1e6))
        ->capture_default_str()
        ->group("Model and GPU");
    app.add_option("--layers", o.layers, "Layers of the model; fewer on the GPU (num_gpu) decode slower")
        ->check(between(1.0, 10000.0))
        ->capture_default_str()
        ->group("Model and GPU");
    app.add_option("--cpu-decode-fraction", o.cpu_decode_fraction, "Share of the decode rate left with num_gpu = 0")
        ->check(between(0.0001, 1.0))
        ->capture_default_str()
        ->group("Model and GPU");
    app.add_option("--num-ctx", o.num_ctx, "Context length of a request that names none")
        ->check(between(1.0, 1e7))
        ->capture_default_str()
        ->group("Model and GPU");
    app.add_option("--ctx-prefill-cost", o.ctx_prefill_cost, "Prefill slowdown for each 8192 tokens of num_ctx")
        ->check(between(0.0, 10.0))
        ->capture_default_str()
        ->group("Model and GPU");
    app.add_option("--shared-gpu", o.shared_gpu, "File through which instances share one GPU (made if missing)")
        ->group("Model and GPU");
    app.add_option("--contention", o.contention, "0: decoders do not disturb each other; 1: they share the rate")
        ->check(between(0.0, 1.0))
        ->capture_default_str()
        ->group("Model and GPU");

    app.add_option("--fault", faults, "KIND[,after=N][,requests=M][,ms=T] (repeatable); see docs/simulator.md")
        ->allow_extra_args(false)
        ->group("Faults");
    app.add_flag("--exit-with-parent", o.exit_with_parent, "Exit when the parent dies or stdin is closed");
    app.add_flag("--quiet", o.quiet, "Log nothing but errors");
    app.set_version_flag("--version", "chimera-sim " CHIMERA_SIM_VERSION);
}

early_exit finish_early(const CLI::App& app, const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream complaint;
    if (app.exit(error, out, complaint) == 0) {
        return {0, out.str()};
    }
    return {2, complaint.str()};
}

} // namespace

parsed_options parse_options(int argc, const char* const* argv) {
    CLI::App app{"An LLM inference server (Ollama and OpenAI protocols) whose timing is known exactly", "chimera-sim"};
    options result;
    std::string listen = "127.0.0.1:0";
    std::vector<std::string> ranges;
    std::vector<std::string> faults;
    add_options(app, result, listen, ranges, faults);
    try {
        app.parse(argc, argv);
        parse_listen(listen, result);
        for (const auto& text : ranges) {
            result.reply_ranges.push_back(parse_reply_range(text));
        }
        for (const auto& text : faults) {
            result.faults.push_back(parse_fault(text));
        }
        if (result.reply_tokens_min > result.reply_tokens_max) {
            throw std::invalid_argument(fmt::format("--reply-tokens-min {} is greater than --reply-tokens-max {}",
                                                    result.reply_tokens_min, result.reply_tokens_max));
        }
    } catch (const CLI::ParseError& error) {
        return finish_early(app, error);
    } catch (const std::invalid_argument& error) {
        return early_exit{2, fmt::format("{}\nRun with --help for more information.\n", error.what())};
    }
    return result;
}

} // namespace chimera::sim
