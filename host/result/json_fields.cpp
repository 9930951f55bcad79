#include "result/json_fields.hpp"

#include "process/messages.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace chimera::host {
namespace {

std::string joined(const std::vector<std::string>& faults) {
    constexpr std::size_t shown = 20;
    std::string out;
    for (std::size_t i = 0; i < std::min(shown, faults.size()); ++i) out += (i > 0 ? "\n" : "") + faults[i];
    if (faults.size() > shown) out += fmt::format("\nand {} more", faults.size() - shown);
    return out;
}

} // namespace

results_error::results_error(const std::vector<std::string>& faults) : std::runtime_error(joined(faults)) {}

namespace json_fields {

void refuse(const std::string& place, const std::string& what) {
    throw results_error(fmt::format("{}: {}", place, what));
}

void refuse_type(const std::string& place, const char* expected, const json& found) {
    refuse(place, fmt::format("should be {}, is {}", expected, found.is_number() ? found.dump() : found.type_name()));
}

void refuse_missing(const std::string& place, const char* key) {
    refuse(place, fmt::format("key \"{}\" is missing", key));
}

void refuse_word(const std::string& place, const std::string& found, const std::vector<std::string>& known) {
    refuse(place, fmt::format("\"{}\" is not known; {}", found, suggest(found, known)));
}

double read_number(const json& j, const std::string& place) {
    if (!j.is_number()) refuse_type(place, "a number", j);
    const auto value = j.get<double>();
    constexpr double most = 1e100, least = 1e-100;
    if (std::abs(value) > most) refuse(place, fmt::format("is {}; expected at most {} either way", value, most));
    return std::abs(value) < least ? 0 : value;
}

std::int64_t read_integer(const json& j, const std::string& place) {
    const bool fits = !j.is_number_unsigned() || std::in_range<std::int64_t>(j.get<std::uint64_t>());
    if (!j.is_number_integer() || !fits) refuse_type(place, "a whole number of 64 bits", j);
    return j.get<std::int64_t>();
}

std::uint64_t read_count(const json& j, const std::string& place) {
    if (!j.is_number_unsigned() && !(j.is_number_integer() && j.get<std::int64_t>() >= 0))
        refuse_type(place, "a whole number, 0 or more", j);
    return j.get<std::uint64_t>();
}

std::string read_text(const json& j, const std::string& place) {
    if (!j.is_string()) refuse_type(place, "a text", j);
    return j.get<std::string>();
}

bool read_bool(const json& j, const std::string& place) {
    if (!j.is_boolean()) refuse_type(place, "true or false", j);
    return j.get<bool>();
}

void append_text(std::string& out, std::string_view text) {
    const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
    if (std::ranges::all_of(text, plain))
        ((out += '"') += text) += '"';
    else
        out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

void append_number(std::string& out, double value) { out += json(value).dump(); }

void append_integer(std::string& out, std::int64_t value) {
    const fmt::format_int digits(value);
    out.append(digits.data(), digits.size());
}

void append_tree(std::string& out, const json& value, int depth) {
    const std::string text = value.dump(depth < 0 ? -1 : 2, ' ', false, json::error_handler_t::replace);
    for (const char c : text) // no text in it has a line end that is not escaped
        c == '\n' ? begin_line(out, depth) : void(out += c);
}

void begin_line(std::string& out, int depth) {
    if (depth >= 0) (out += '\n').append(2 * static_cast<std::size_t>(depth), ' ');
}

} // namespace json_fields

} // namespace chimera::host
