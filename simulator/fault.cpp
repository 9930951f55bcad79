#include "fault.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

namespace chimera::sim {
namespace {

/// Fields that a kind takes, besides `requests`.
enum field : std::uint8_t { none = 0, after = 1, ms = 2, tokens = 4, reason = 8 };

struct fault_name {
    std::string_view name;
    fault_kind kind;
    std::uint32_t default_after;
    std::uint32_t default_ms;
    std::uint8_t takes;
};

constexpr auto whole_reply = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t default_hidden_tokens = 50;
constexpr std::uint32_t most_hidden_tokens = 1'000'000;

constexpr auto fault_names = std::to_array<fault_name>({
    {"refuse", fault_kind::refuse, 0, 0, after | ms},
    {"reset", fault_kind::reset, 3, 0, after},
    {"stall", fault_kind::stall, 3, 0, after | ms},
    {"garbage", fault_kind::garbage, 3, 0, after},
    {"oversized", fault_kind::oversized, 3, 0, after},
    {"error_record", fault_kind::error_record, 3, 0, after},
    {"status_429", fault_kind::status_429, 0, 1000, ms},
    {"status_500", fault_kind::status_500, 0, 0, none},
    {"status_503", fault_kind::status_503, 0, 1000, ms},
    {"slow_drip", fault_kind::slow_drip, 0, 1, after | ms},
    {"truncated_chunk", fault_kind::truncated_chunk, 3, 0, after},
    {"early_close", fault_kind::early_close, 3, 0, after},
    {"bad_chunk", fault_kind::bad_chunk, 3, 0, after},
    {"linger", fault_kind::linger, 0, 0, ms},
    {"clump", fault_kind::clump, 0, 0, after | ms},
    {"no_text", fault_kind::no_text, 0, 0, none},
    {"finish_reason", fault_kind::finish_reason, whole_reply, 0, after | reason},
    {"status_201", fault_kind::status_201, 0, 0, none},
    {"bad_durations", fault_kind::bad_durations, 0, 0, none},
    {"hidden_reasoning", fault_kind::hidden_reasoning, 0, 0, tokens},
});

std::string known_kinds() {
    std::string list;
    for (const auto& known : fault_names) {
        list += fmt::format("{}{}", list.empty() ? "" : ", ", known.name);
    }
    return list;
}

const fault_name& find_kind(std::string_view name) {
    for (const auto& known : fault_names) {
        constexpr std::string_view status = "status_";
        const bool bare_status = known.name.starts_with(status) && known.name.substr(status.size()) == name;
        if (known.name == name || bare_status) {
            return known;
        }
    }
    throw std::invalid_argument(fmt::format("unknown fault '{}'; known faults: {}", name, known_kinds()));
}

std::uint32_t parse_count(std::string_view key, std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
        throw std::invalid_argument(fmt::format("fault option '{}={}': expected a whole number", key, text));
    }
    return value;
}

/// A reason stands in a JSON string as it is.
std::string parse_reason(std::string_view text) {
    const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; };
    if (text.empty() || !std::ranges::all_of(text, fits)) {
        throw std::invalid_argument(
            fmt::format("fault option 'reason={}': expected letters, digits, '_' and '-'", text));
    }
    return std::string(text);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') {
        text.remove_prefix(1);
    }
    while (!text.empty() && text.back() == ' ') {
        text.remove_suffix(1);
    }
    return text;
}

} // namespace

fault_spec parse_fault(std::string_view text) {
    const auto next_field = [&text] {
        const auto comma = text.find(',');
        const auto field = trimmed(text.substr(0, comma));
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
        return field;
    };
    const fault_name& kind = find_kind(next_field());
    const auto takes = [&kind](field wanted) { return (kind.takes & wanted) != 0; };
    fault_spec spec{kind.kind, kind.default_after, 0, kind.default_ms, 0, {}};
    if (takes(tokens)) {
        spec.tokens = default_hidden_tokens;
    }
    while (!text.empty()) {
        const auto given = next_field();
        const auto equals = given.find('=');
        const auto key = given.substr(0, equals);
        const auto value = equals == std::string_view::npos ? std::string_view{} : given.substr(equals + 1);
        if (key == "after" && takes(after)) {
            spec.after = parse_count(key, value);
        } else if (key == "requests" && kind.kind != fault_kind::refuse) {
            spec.requests = parse_count(key, value);
        } else if (key == "ms" && takes(ms)) {
            spec.ms = parse_count(key, value);
        } else if (key == "tokens" && takes(tokens)) {
            spec.tokens = parse_count(key, value);
        } else if (key == "reason" && takes(reason)) {
            spec.reason = parse_reason(value);
        } else {
            throw std::invalid_argument(fmt::format(
                "fault '{}' has no option '{}'; it takes{}{}{}{}{}", kind.name, key, takes(after) ? " after=N" : "",
                kind.kind != fault_kind::refuse ? " requests=M" : "", takes(ms) ? " ms=T" : "",
                takes(tokens) ? " tokens=K" : "", takes(reason) ? " reason=R" : ""));
        }
    }
    if (kind.kind == fault_kind::slow_drip && spec.ms == 0) {
        throw std::invalid_argument("fault 'slow_drip': ms must be at least 1");
    }
    if (kind.kind == fault_kind::hidden_reasoning && (spec.tokens == 0 || spec.tokens > most_hidden_tokens)) {
        throw std::invalid_argument(
            fmt::format("fault 'hidden_reasoning': tokens must be 1 to {}", most_hidden_tokens));
    }
    if (takes(reason) && spec.reason.empty()) {
        throw std::invalid_argument(
            "fault 'finish_reason': it needs a reason, as in finish_reason,reason=content_filter");
    }
    return spec;
}

bool strikes_once(fault_kind kind) {
    switch (kind) {
    case fault_kind::reset:
    case fault_kind::stall:
    case fault_kind::garbage:
    case fault_kind::oversized:
    case fault_kind::error_record:
    case fault_kind::truncated_chunk:
    case fault_kind::early_close:
    case fault_kind::bad_chunk:
        return true;
    default:
        return false;
    }
}

bool is_status(fault_kind kind) { return status_of(kind) != 0; }

int status_of(fault_kind kind) {
    switch (kind) {
    case fault_kind::status_429:
        return 429;
    case fault_kind::status_500:
        return 500;
    case fault_kind::status_503:
        return 503;
    default:
        return 0;
    }
}

fault_list::fault_list(const std::vector<fault_spec>& specs) {
    for (const auto& spec : specs) {
        if (spec.kind == fault_kind::refuse) {
            refuse_ = spec;
        } else {
            entries_.push_back({spec, spec.requests});
        }
    }
}

fault_spec fault_list::take() {
    for (auto& [spec, left] : entries_) {
        if (spec.requests == 0) {
            return spec;
        }
        if (left > 0) {
            --left;
            return spec;
        }
    }
    return {};
}

} // namespace chimera::sim
