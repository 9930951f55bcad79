#include "reply_text.hpp"

#include <array>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pacing.hpp"

namespace chimera::sim {
namespace {

constexpr std::array openers{"The", "Measured", "Across", "Overall", "Every", "Under", "Compared", "During", "Most"};
constexpr std::array words{
    " throughput", " latency", " of",     " the",     " agents", " stays",    " within",  " a",       " narrow",
    " band",       " while",   " queue",  " depth",   " grows",  " with",     " each",    " request", " and",
    " decoding",   " remains", " stable", " across",  " runs",   " because",  " prefill", " costs",   " little",
    " when",       " context", " is",     " short",   " so",     " tail",     " values",  " follow",  " the",
    " mean",       " closely", " to",     " batches", " at",     " moderate", " load",    " where",   " memory",
    " bandwidth",  " sets",    " pace",   " rather",  " than",   " compute",  " in",      " warm",    " state",
    " naïve",      " Größe",   " café",   " →",       " ≈",      " 数据",     " résumé",  " ±",       " 🚀"};
constexpr std::array headings{"## Summary\n\n", "\n\n## Key Findings\n\n", "\n## Metrics\n\n",
                              "\n## Recommendations\n\n"};
constexpr std::array metric_names{"tokens_per_second", "ttft_p50",    "ttft_p95",   "itl_mean",
                                  "gpu_memory",        "prompt_eval", "load",       "cpu_per_token",
                                  "error_rate",        "speedup",     "batch_size", "cache_hit_rate"};
constexpr std::array metric_units{" tok/s", " ms", " ms", " ms", " MiB",      " ms",
                                  " ms",    " µs", " %",  " x",  " requests", " %"};
constexpr std::array short_findings{"- Latency is stable.\n", "- Throughput holds.\n", "- Memory is not the limit.\n"};
constexpr std::array verbs{" Raise", " Keep", " Measure", " Reduce", " Compare", " Pin", " Cache", " Batch"};
constexpr std::size_t value_count = 256;
constexpr std::size_t number_count = 99;
static_assert(metric_names.size() == metric_units.size());

/// Every token, in raw and in JSON form, and where each group of them begins.
struct vocabulary {
    std::vector<std::string> text;
    std::vector<std::string> json;
    token_id opener, word, heading, metric, unit, value, whole_metric, short_finding, verb, number;
    token_id bullet, colon, line, stop, stop_line, repeat, whole_recommendation;

    vocabulary() {
        opener = add_all(openers);
        word = add_all(words);
        heading = add_all(headings);
        metric = add_all(metric_names);
        unit = add_all(metric_units);
        value = next();
        for (std::size_t i = 0; i < value_count; ++i) {
            add(fmt::format(" {:.1f}", 0.7 + 3.9 * static_cast<double>(i)));
        }
        whole_metric = next();
        for (std::size_t i = 0; i < metric_names.size(); ++i) {
            add(fmt::format("- {}: {}{}\n", metric_names[i], 12 + 7 * i, metric_units[i]));
        }
        short_finding = add_all(short_findings);
        verb = add_all(verbs);
        number = next();
        for (std::size_t i = 1; i <= number_count; ++i) {
            add(fmt::format("{}.", i));
        }
        bullet = add("- ");
        colon = add(":");
        line = add("\n");
        stop = add(".");
        stop_line = add(".\n");
        repeat = add(" Repeat the measurement");
        whole_recommendation = add("1. Repeat the measurement.\n");
    }

  private:
    token_id next() const { return static_cast<token_id>(text.size()); }

    token_id add(std::string token) {
        const auto quoted = nlohmann::json(token).dump();
        json.push_back(quoted.substr(1, quoted.size() - 2));
        if (json.back().size() > longest_token) {
            throw std::logic_error("token too long: " + token);
        }
        text.push_back(std::move(token));
        return static_cast<token_id>(text.size() - 1);
    }

    token_id add_all(const auto& tokens) {
        const auto first = next();
        for (const char* token : tokens) {
            add(token);
        }
        return first;
    }
};

const vocabulary& all_tokens() {
    static const vocabulary tokens;
    return tokens;
}

/// Writes the sections; each is told how many tokens it has and uses exactly those.
class report_writer {
  public:
    explicit report_writer(std::uint64_t seed) : state_(mix(seed)) {}

    void reserve(std::size_t tokens) { out_.reserve(tokens); }
    std::vector<token_id> take() { return std::move(out_); }

    void heading(std::size_t section) { put(v_.heading, section); }

    void prose(std::size_t tokens) {
        while (tokens > 0) {
            const std::size_t length = tokens < 16 ? tokens : 8 + draw(8);
            sentence(length, v_.stop);
            tokens -= length;
        }
    }

    void findings(std::size_t tokens) {
        while (tokens > 0) {
            if (tokens < 5) {
                put(v_.short_finding, draw(short_findings.size()));
                --tokens;
                continue;
            }
            const std::size_t length = tokens < 16 ? tokens : 8 + draw(8);
            put(v_.bullet, 0);
            sentence(length - 1, v_.stop_line);
            tokens -= length;
        }
    }

    void metrics(std::size_t tokens) {
        constexpr std::size_t item = 6;
        while (tokens > 0) {
            const auto which = draw(metric_names.size());
            if (tokens < item) {
                put(v_.whole_metric, which);
                --tokens;
                continue;
            }
            put(v_.bullet, 0);
            put(v_.metric, which);
            put(v_.colon, 0);
            put(v_.value, draw(value_count));
            put(v_.unit, which);
            put(v_.line, 0);
            tokens -= item;
        }
    }

    void recommendations(std::size_t tokens) {
        std::size_t number = 0;
        while (tokens > 0) {
            const std::size_t length = tokens < 16 ? tokens : 8 + draw(8);
            tokens -= length;
            if (length == 1) {
                put(number == 0 ? v_.whole_recommendation : v_.line, 0);
                continue;
            }
            put(v_.number, number++ % number_count);
            if (length == 2) {
                put(v_.repeat, 0);
            }
            if (length == 3) {
                put(v_.repeat, 0), put(v_.stop_line, 0);
            }
            if (length > 3) {
                put(v_.verb, draw(verbs.size()));
                words_then(length - 2, v_.stop_line);
            }
        }
    }

  private:
    std::size_t draw(std::size_t bound) {
        state_ += 0x9e3779b97f4a7c15U;
        return static_cast<std::size_t>(((mix(state_) >> 32U) * bound) >> 32U);
    }

    void put(token_id group, std::size_t index) { out_.push_back(static_cast<token_id>(group + index)); }

    void sentence(std::size_t length, token_id end) {
        put(v_.opener, draw(openers.size()));
        if (length > 1) {
            words_then(length - 1, end);
        }
    }

    void words_then(std::size_t length, token_id end) {
        for (std::size_t i = 1; i < length; ++i) {
            put(v_.word, draw(words.size()));
        }
        put(end, 0);
    }

    const vocabulary& v_ = all_tokens();
    std::uint64_t state_;
    std::vector<token_id> out_;
};

} // namespace

std::string_view token_text(token_id id) { return all_tokens().text[id]; }
std::string_view token_json(token_id id) { return all_tokens().json[id]; }

std::vector<token_id> compose_report(std::uint64_t seed, std::uint32_t tokens) {
    static constexpr std::array section_ends{0.25, 0.55, 0.80, 1.0};
    report_writer writer(seed);
    writer.reserve(tokens);
    std::size_t begin = 0;
    for (std::size_t section = 0; section < section_ends.size() && begin < tokens; ++section) {
        const auto end = std::max(static_cast<std::size_t>(section_ends[section] * tokens + 0.5), begin);
        if (end == begin) {
            continue;
        }
        writer.heading(section);
        const auto body = end - begin - 1;
        switch (section) {
        case 0:
            writer.prose(body);
            break;
        case 1:
            writer.findings(body);
            break;
        case 2:
            writer.metrics(body);
            break;
        default:
            writer.recommendations(body);
            break;
        }
        begin = end;
    }
    return writer.take();
}

std::vector<token_id> compose_prose(std::uint64_t seed, std::uint32_t tokens) {
    report_writer writer(seed);
    writer.reserve(tokens);
    writer.prose(tokens);
    return writer.take();
}

} // namespace chimera::sim
