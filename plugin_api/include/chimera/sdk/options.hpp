// Option schemas and typed access to an instance's options.
#pragma once

#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "../abi/option.h"
#include "error.hpp"
#include "text.hpp"

namespace chimera::sdk {

/// "true" or "false". All arguments of these functions have static storage.
constexpr chm_option bool_option(const char* name, const char* default_value, const char* help) noexcept {
    return {sizeof(chm_option), CHM_OPT_BOOL, name, help, default_value, nullptr, 1, 0};
}
/// A whole number from min to max.
constexpr chm_option int_option(const char* name, const char* default_value, double min, double max,
                                const char* help) noexcept {
    return {sizeof(chm_option), CHM_OPT_INT, name, help, default_value, nullptr, min, max};
}
/// A number from min to max.
constexpr chm_option float_option(const char* name, const char* default_value, double min, double max,
                                  const char* help) noexcept {
    return {sizeof(chm_option), CHM_OPT_FLOAT, name, help, default_value, nullptr, min, max};
}
/// Any text.
constexpr chm_option string_option(const char* name, const char* default_value, const char* help) noexcept {
    return {sizeof(chm_option), CHM_OPT_STRING, name, help, default_value, nullptr, 1, 0};
}
/// One of choices: "a|b|c".
constexpr chm_option enum_option(const char* name, const char* default_value, const char* choices,
                                 const char* help) noexcept {
    return {sizeof(chm_option), CHM_OPT_ENUM, name, help, default_value, choices, 1, 0};
}

/// An instance's options, checked against its schema. The host has checked them before; a plugin checks again, because
/// it may be loaded by another host.
class options {
  public:
    /// Throws error(CHM_E_INVAL) for a key that the schema does not have. Borrows both arguments; config may be NULL.
    options(const chm_config* config, std::span<const chm_option> schema) : schema_(schema) {
        if (config) given_ = {config->kv, config->n};
        for (const chm_kv& kv : given_) static_cast<void>(find(view(kv.key)));
    }

    /// The value of an option that the schema has; its default when it was not given. Each throws error(CHM_E_INVAL)
    /// when the value is not of the option's type or outside of its range.
    std::int64_t integer(std::string_view name) const {
        const chm_option& o = find(name);
        const auto value = parse<std::int64_t>(o);
        check_range(o, static_cast<double>(value));
        return value;
    }
    /// A CHM_OPT_FLOAT's value.
    double number(std::string_view name) const {
        const chm_option& o = find(name);
        const auto value = parse<double>(o);
        check_range(o, value);
        return value;
    }
    /// A CHM_OPT_BOOL's value.
    bool flag(std::string_view name) const {
        const chm_option& o = find(name);
        const std::string_view value = value_of(o);
        if (value != "true" && value != "false") throw invalid(o, "is neither true nor false");
        return value == "true";
    }
    /// Borrowed from the config or the schema.
    std::string_view text(std::string_view name) const { return value_of(find(name)); }
    /// A CHM_OPT_ENUM's value; one of its choices.
    std::string_view choice(std::string_view name) const {
        const chm_option& o = find(name);
        const std::string_view value = value_of(o);
        for (std::string_view rest = o.choices;;) {
            const std::size_t bar = rest.find('|');
            if (rest.substr(0, bar) == value) return value;
            if (bar == std::string_view::npos) throw invalid(o, "is none of " + std::string(o.choices));
            rest.remove_prefix(bar + 1);
        }
    }

  private:
    const chm_option& find(std::string_view name) const {
        for (const chm_option& o : schema_)
            if (name == o.name) return o;
        throw error(CHM_E_INVAL, "unknown option '" + std::string(name) + "'");
    }
    std::string_view value_of(const chm_option& o) const {
        for (const chm_kv& kv : given_)
            if (view(kv.key) == o.name) return view(kv.value);
        return o.default_value;
    }
    error invalid(const chm_option& o, const std::string& why) const {
        return {CHM_E_INVAL, "option '" + std::string(o.name) + "': '" + std::string(value_of(o)) + "' " + why};
    }
    template <class T>
    T parse(const chm_option& o) const {
        const std::string_view s = value_of(o);
        T value{};
        const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), value);
        if (ec != std::errc{} || end != s.data() + s.size()) throw invalid(o, "is not a number of this type");
        return value;
    }
    void check_range(const chm_option& o, double value) const {
        if (o.min <= o.max && !(value >= o.min && value <= o.max))
            throw invalid(o, "is outside of " + text_of(o.min) + " to " + text_of(o.max));
    }
    static std::string text_of(double bound) {
        char text[32];
        return {text, std::to_chars(text, text + sizeof text, bound, std::chars_format::general, 15).ptr};
    }

    std::span<const chm_option> schema_;
    std::span<const chm_kv> given_{};
};

} // namespace chimera::sdk
