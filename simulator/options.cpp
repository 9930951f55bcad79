#include "options.hpp"

#include "option_table.hpp"

#include <algorithm>
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

/// Declares the options of option_table.hpp on a command line: `load_ms` as --load-ms.
class table_options {
  public:
    explicit table_options(CLI::App& app) : app_(app) {}

    template <class Number>
    void add(const char* group, const char* name, Number& field) {
        const auto& entry = find(option_table(), name);
        auto* option = app_.add_option(flag(name), field, entry.help)->group(group);
        if (entry.min <= entry.max) {
            option->check(between(entry.min, entry.max));
        }
        option->default_val(entry.default_value);
    }

    void add(const char* group, const char* name, bool& field) {
        app_.add_flag(flag(name), field, find(option_table(), name).help)->group(group);
    }

    void add(const char* group, const char* name, std::vector<std::string>& field) {
        const auto& entry = find(repeatable_option_table(), name);
        app_.add_option(flag(name), field, fmt::format("{} (repeatable)", entry.help))
            ->allow_extra_args(false)
            ->group(group);
    }

  private:
    static const chm_option& find(std::span<const chm_option> table, std::string_view name) {
        const auto found = std::ranges::find(table, name, &chm_option::name);
        if (found == table.end()) {
            throw std::logic_error(fmt::format("no option {} in the table", name));
        }
        return *found;
    }

    static std::string flag(std::string name) {
        std::ranges::replace(name, '_', '-');
        return "--" + name;
    }

    CLI::App& app_;
};

void add_options(CLI::App& app, options& o, std::string& listen, std::vector<std::string>& ranges,
                 std::vector<std::string>& faults) {
    app.add_option("--listen", listen, "HOST:PORT to serve on; port 0: one that is free; IPv6 as [::1]:0")
        ->capture_default_str();

    table_options table(app);
    table.add("Pace", "load_ms", o.load_ms);
    table.add("Pace", "prefill_tokens_per_s", o.prefill_tokens_per_s);
    table.add("Pace", "decode_tokens_per_s", o.decode_tokens_per_s);
    table.add("Pace", "jitter", o.jitter);
    table.add("Pace", "records_per_send", o.records_per_send);

    table.add("Reply", "reply_tokens_min", o.reply_tokens_min);
    table.add("Reply", "reply_tokens_max", o.reply_tokens_max);
    table.add("Reply", "reply_range", ranges);
    table.add("Reply", "reasoning_tokens", o.reasoning_tokens);
    table.add("Reply", "seed", o.seed);
    table.add("Reply", "context", o.context);

    constexpr const char* model_and_gpu = "Model and GPU";
    table.add(model_and_gpu, "model", o.models);
    table.add(model_and_gpu, "slots", o.slots);
    table.add(model_and_gpu, "layers", o.layers);
    table.add(model_and_gpu, "cpu_decode_fraction", o.cpu_decode_fraction);
    table.add(model_and_gpu, "num_ctx", o.num_ctx);
    table.add(model_and_gpu, "ctx_prefill_cost", o.ctx_prefill_cost);
    app.add_option("--shared-gpu", o.shared_gpu, "File through which instances share one GPU (made if missing)")
        ->group(model_and_gpu);
    table.add(model_and_gpu, "contention", o.contention);

    table.add("Faults", "fault", faults);
    app.add_option("--request-timeout-ms", o.request_timeout_ms, "Time to send a request whole, then 408; 0: no limit")
        ->check(between(0, 3.6e6))
        ->capture_default_str();
    app.add_flag("--exit-with-parent", o.exit_with_parent, "Exit when the parent dies or stdin is closed");
    app.add_flag("--quiet", o.quiet, "Log errors only");
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
