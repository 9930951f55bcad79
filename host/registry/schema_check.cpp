#include "registry/schema_check.hpp"
#include "profile/option_check.hpp"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <set>
#include <vector>

namespace chimera::host {

namespace {

bool is_snake_case(std::string_view part) {
    if (part.empty() || part.front() < 'a' || part.front() > 'z') return false;
    return std::all_of(part.begin(), part.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_dotted_snake_case(std::string_view name) {
    for (;;) {
        const auto dot = name.find('.');
        if (!is_snake_case(name.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

std::string option_fault(const chm_option& option) {
    if (option.name == nullptr) return "has no name (NULL), expected text in snake_case";
    if (!is_dotted_snake_case(option.name))
        return fmt::format("is called \"{}\", expected snake_case with dots between tables", option.name);
    if (option.type < CHM_OPT_BOOL || option.type > CHM_OPT_ENUM)
        return fmt::format("has type {}, expected {} to {}", option.type, CHM_OPT_BOOL + 0, CHM_OPT_ENUM + 0);
    if (option.help == nullptr || *option.help == '\0') return "has no help, expected one line";
    if (option.type == CHM_OPT_ENUM) {
        const auto words = choices_of(option);
        if (words.empty() || std::find(words.begin(), words.end(), "") != words.end())
            return "has no choices, expected \"a|b\"";
    } else if (option.choices != nullptr) {
        return "has choices, expected NULL for everything but CHM_OPT_ENUM";
    }
    if (std::isnan(option.min) || std::isnan(option.max)) return "has a range that is not a number";
    if (option.default_value == nullptr) return "has no default (NULL), expected text";
    if (const auto value = check_text(option, option.default_value); !value.fault.empty())
        return fmt::format("has a default that it would not accept: {}", value.fault);
    return {};
}

} // namespace

std::string schema_fault(std::span<const chm_option> schema) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < schema.size(); ++i) {
        const auto& option = schema[i];
        auto fault = option_fault(option);
        if (fault.empty() && !names.insert(option.name).second) fault = "has the name of an earlier one";
        if (!fault.empty())
            return fmt::format("option {}{} {}", i, option.name == nullptr ? "" : fmt::format(" ({})", option.name),
                               fault);
    }
    // "a" and "a.b" cannot both be written in TOML.
    for (const auto& name : names)
        for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
            if (names.count(name.substr(0, dot)) != 0)
                return fmt::format("option {} lies inside option {}, expected one or the other", name,
                                   name.substr(0, dot));
    return {};
}

std::span<const chm_option> read_schema(const chm_option* options, std::uint32_t n, std::string* fault) {
    if (n == 0) return {};
    if (options == nullptr) {
        *fault = fmt::format("there are said to be {}, and none is listed (NULL)", n);
        return {};
    }
    const auto size = options->size;                                         // also the distance from one to the next
    constexpr auto least = offsetof(chm_option, max) + sizeof(options->max); // what 1.0 has
    if (size < least || size % alignof(chm_option) != 0 || size > 64 * sizeof(chm_option)) {
        *fault = fmt::format("option 0 has size {}, expected at least {}", size, least);
        return {};
    }
    if (size == sizeof(chm_option)) return {options, n};
    static auto& kept = *new std::vector<std::vector<chm_option>>;
    auto& copy = kept.emplace_back(n);
    const auto* bytes = reinterpret_cast<const char*>(options);
    for (std::size_t i = 0; i < n; ++i)
        std::memcpy(&copy[i], bytes + i * size, std::min<std::size_t>(size, sizeof(chm_option)));
    return copy;
}

} // namespace chimera::host
