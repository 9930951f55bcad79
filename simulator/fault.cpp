#include "fault.hpp"

#include <array>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace chimera::sim {
namespace {

struct fault_name {
    std::string_view name;
    fault_kind kind;
    std::uint32_t default_after;
    std::uint32_t default_ms;
    bool has_after;
    bool has_ms;
};

constexpr std::array<fault_name, 13> fault_names{{
    {"refuse", fault_kind::refuse, 0, 0, true, true},
    {"reset", fault_kind::reset, 3, 0, true, false},
    {"stall", fault_kind::stall, 3, 0, true, true},
    {"garbage", fault_kind::garbage, 3, 0, true, false},
    {"oversized", fault_kind::oversized, 3, 0, true, false},
    {"error_record", fault_kind::error_record, 3, 0, true, false},
    {"status_429", fault_kind::status_429, 0, 1000, false, true},
    {"status_500", fault_kind::status_500, 0, 0, false, false},
    {"status_503", fault_kind::status_503, 0, 1000, false, true},
    {"slow_drip", fault_kind::slow_drip, 0, 1, true, true},
    {"truncated_chunk", fault_kind::truncated_chunk, 3, 0, true, false},
    {"early_close", fault_kind::early_close, 3, 0, true, false},
    {"bad_chunk", fault_kind::bad_chunk, 3, 0, true, false},
}};

std::string known_kinds() {
    std::string list;
    for (const auto& known : fault_names) {
        list += fmt::format("{}{}", list.empty() ? "" : ", ", known.name);
    }
    return list;
}

const fault_name& find_kind(std::string_view name) {
    for (const auto& known : fault_names) {
        const bool bare_status = is_status(known.kind) && known.name.substr(known.name.find('_') + 1) == name;
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
    fault_spec spec{kind.kind, kind.default_after, 0, kind.default_ms};
    while (!text.empty()) {
        const auto field = next_field();
        const auto equals = field.find('=');
        const auto key = field.substr(0, equals);
        const auto value = equals == std::string_view::npos ? std::string_view{} : field.substr(equals + 1);
        if (key == "after" && kind.has_after) {
            spec.after = parse_count(key, value);
        } else if (key == "requests" && kind.kind != fault_kind::refuse) {
            spec.requests = parse_count(key, value);
        } else if (key == "ms" && kind.has_ms) {
            spec.ms = parse_count(key, value);
        } else {
            throw std::invalid_argument(fmt::format(
                "fault '{}' has no option '{}'; it takes{}{}{}", kind.name, key, kind.has_after ? " after=N" : "",
                kind.kind != fault_kind::refuse ? " requests=M" : "", kind.has_ms ? " ms=T" : ""));
        }
    }
    if (kind.kind == fault_kind::slow_drip && spec.ms == 0) {
        throw std::invalid_argument("fault 'slow_drip': ms must be at least 1");
    }
    return spec;
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
