#include "profile/options.hpp"

#include "process/messages.hpp"
#include "profile/document.hpp"
#include "protocol/excerpt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace chimera::host {

namespace {

template <class Number>
bool read_number(std::string_view text, Number* out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
    return error == std::errc{} && end == text.data() + text.size();
}

bool in_range(const chm_option& option, double value) {
    return option.min > option.max || (value >= option.min && value <= option.max);
}

/// "an integer from 1 to 8"
std::string expected(const chm_option& option) {
    const auto range = [&]() -> std::string {
        if (option.min > option.max) return {};
        if (std::isinf(option.max) || option.max >= 9.2e18) return fmt::format(" of at least {}", option.min);
        return fmt::format(" from {} to {}", option.min, option.max);
    };
    switch (option.type) {
    case CHM_OPT_BOOL:
        return "true or false";
    case CHM_OPT_INT:
        return "an integer" + range();
    case CHM_OPT_FLOAT:
        return "a number" + range();
    case CHM_OPT_ENUM: {
        std::string words;
        for (const auto& word : choices_of(option)) words += (words.empty() ? "\"" : ", \"") + word + '"';
        return "one of " + words;
    }
    default:
        return "a string";
    }
}

struct flat_option {
    std::string key;
    const member* from;
};

void flatten(const node& table, const std::string& prefix, std::vector<flat_option>* out) {
    for (const auto& entry : std::get<node::table>(table.value)) {
        const auto key = prefix.empty() ? entry.key : prefix + '.' + entry.key;
        if (entry.value.is_table()) {
            flatten(entry.value, key, out);
        } else {
            out->push_back({key, &entry});
        }
    }
}

} // namespace

std::vector<std::string> choices_of(const chm_option& option) {
    std::vector<std::string> words;
    if (option.type != CHM_OPT_ENUM || option.choices == nullptr) return words;
    std::string_view rest = option.choices;
    while (true) {
        const auto bar = rest.find('|');
        words.emplace_back(rest.substr(0, bar));
        if (bar == std::string_view::npos) return words;
        rest.remove_prefix(bar + 1);
    }
}

std::string describe(const chm_option& option) {
    auto text = expected(option);
    if (option.default_value != nullptr) text += fmt::format(", default \"{}\"", option.default_value);
    return text;
}

checked_value check_text(const chm_option& option, std::string_view text) {
    const auto wrong = [&] { return checked_value{{}, fmt::format("\"{}\" is not {}", text, expected(option))}; };
    switch (option.type) {
    case CHM_OPT_BOOL:
        if (text != "true" && text != "false") return wrong();
        return {std::string(text), {}};
    case CHM_OPT_INT: {
        std::int64_t value = 0;
        if (!read_number(text, &value)) return wrong();
        if (!in_range(option, static_cast<double>(value)))
            return {{}, fmt::format("{} is out of range; give {}", value, expected(option))};
        return {fmt::format("{}", value), {}};
    }
    case CHM_OPT_FLOAT: {
        double value = 0;
        if (!read_number(text, &value) || !std::isfinite(value)) return wrong();
        if (!in_range(option, value)) return {{}, fmt::format("{} is out of range; give {}", value, expected(option))};
        return {fmt::format("{}", value == 0 ? 0.0 : value), {}}; // no negative zero
    }
    case CHM_OPT_ENUM: {
        const auto words = choices_of(option);
        if (std::find(words.begin(), words.end(), text) == words.end())
            return {{}, fmt::format("\"{}\" is not a choice; {}", text, suggest(text, words))};
        return {std::string(text), {}};
    }
    default:
        if (text.find('\0') != std::string_view::npos) return {{}, "contains a NUL byte; give plain text"};
        if (!is_utf8(text)) return {{}, fmt::format("\"{}\" is not UTF-8; give it in that encoding", excerpt(text))};
        return {std::string(text), {}};
    }
}

checked_value check_node(const chm_option& option, const node& given) {
    const bool text_wanted = option.type == CHM_OPT_STRING || option.type == CHM_OPT_ENUM;
    if (const auto* text = std::get_if<std::string>(&given.value)) {
        // A quoted number in a file is a string. Bare text after --set has the type of the option.
        if (text_wanted || given.raw == *text) return check_text(option, *text);
    } else if (const auto* flag = std::get_if<bool>(&given.value); flag != nullptr && option.type == CHM_OPT_BOOL) {
        return check_text(option, *flag ? "true" : "false");
    } else if (const auto* whole = std::get_if<std::int64_t>(&given.value);
               whole != nullptr && (option.type == CHM_OPT_INT || option.type == CHM_OPT_FLOAT)) {
        return check_text(option, std::to_string(*whole));
    } else if (const auto* number = std::get_if<double>(&given.value);
               number != nullptr && option.type == CHM_OPT_FLOAT) {
        return check_text(option, fmt::format("{}", *number));
    }
    if (text_wanted && given.raw && !given.is_list() && !given.is_table()) return check_text(option, *given.raw);
    return {{}, fmt::format("is {}; give {}", kind_of(given), expected(option))};
}

std::string fault_at(const origin& at, const std::string& key, const std::string& what) {
    if (at.from_file || key.empty()) return fmt::format("{}{}{}: {}", at.where, key.empty() ? "" : ": ", key, what);
    return fmt::format("{}: {}", at.where, what);
}

std::vector<option_value> resolve_options(std::span<const chm_option> schema, const node* given,
                                          const std::string& prefix, std::vector<std::string>* faults,
                                          std::span<const std::string> read_elsewhere) {
    std::vector<flat_option> flat;
    if (given != nullptr && !given->is_table()) {
        faults->push_back(fault_at(given->at, prefix, fmt::format("is {}; give a table of options", kind_of(*given))));
    } else if (given != nullptr) {
        flatten(*given, {}, &flat);
    }
    std::vector<std::string> known(read_elsewhere.begin(), read_elsewhere.end());
    for (const auto& option : schema) known.emplace_back(option.name);
    for (const auto& [key, from] : flat) {
        if (std::find(known.begin(), known.end(), key) == known.end())
            faults->push_back(fault_at(from->at, fmt::format("{}.{}", prefix, key),
                                       known.empty() ? "unknown option; there are none here"
                                                     : "unknown option; " + suggest(key, known)));
    }
    std::vector<option_value> resolved;
    for (const auto& option : schema) {
        const auto found =
            std::find_if(flat.begin(), flat.end(), [&](const flat_option& f) { return f.key == option.name; });
        const auto value =
            found == flat.end() ? check_text(option, option.default_value) : check_node(option, found->from->value);
        if (!value.fault.empty() && found != flat.end())
            faults->push_back(fault_at(found->from->value.at, prefix + '.' + found->key, value.fault));
        resolved.push_back({option.name, value.text, option.type});
    }
    return resolved;
}

} // namespace chimera::host
