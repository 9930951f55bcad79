#include "study/results_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& faults) {
    constexpr std::size_t shown = 20;
    std::string out;
    for (std::size_t i = 0; i < std::min(shown, faults.size()); ++i) out += (i > 0 ? "\n" : "") + faults[i];
    if (faults.size() > shown) out += fmt::format("\nand {} more", faults.size() - shown);
    return out;
}

/// The parser's message without its own idea of the place: "[json.exception...] parse error at line 1, column 2: what".
std::string_view what_of(std::string_view message) {
    const std::size_t colon = message.find(": ");
    return colon == std::string_view::npos ? message : message.substr(colon + 2);
}

json parse(std::string_view text, const std::string& file, std::size_t first_line) {
    const auto place = [&](std::size_t byte) {
        const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
        return fmt::format("{}:{}", file, first_line + static_cast<std::size_t>(std::count(text.begin(), end, '\n')));
    };
    try {
        return json::parse(text);
    } catch (const json::parse_error& e) {
        if (e.byte > text.size())
            throw study_error(fmt::format("{}: cut short: the JSON ends in the middle, after {} bytes",
                                          place(text.size()), text.size()));
        throw study_error(
            fmt::format("{}: not valid JSON: {}", place(e.byte == 0 ? 0 : e.byte - 1), what_of(e.what())));
    } catch (const json::exception& e) { // a number that none can hold; where it is, the parser does not say
        throw study_error(
            fmt::format("{}: not valid JSON: {}", text.find('\n') == text.npos ? place(0) : file, e.what()));
    }
}

} // namespace

study_error::study_error(const std::vector<std::string>& faults) : std::runtime_error(joined(faults)) {}

std::string read_results_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw study_error(path.string() + ": cannot be read");
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) throw study_error(path.string() + ": cannot be read");
    return text;
}

json read_results_json(const std::filesystem::path& path) { return parse(read_results_text(path), path.string(), 1); }

std::vector<results_line> read_results_lines(const std::filesystem::path& path, last_line last) {
    const std::string text = read_results_text(path);
    std::vector<results_line> out;
    std::size_t line = 1;
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1, ++line)
        out.push_back({parse(std::string_view(text).substr(begin, end - begin), path.string(), line),
                       fmt::format("{}:{}", path.string(), line)});
    if (last == last_line::is_whole && !text.empty() && !text.ends_with('\n'))
        throw study_error(fmt::format("{}:{}: cut short: the last line has no end", path.string(), line));
    return out;
}

results_object::results_object(const json& value, std::string place) : value_(&value), place_(std::move(place)) {
    if (!value.is_object()) refuse(fmt::format("should be an object, is {}", value.type_name()));
}

const json* results_object::find(const char* key) const {
    const auto found = value_->find(key);
    return found == value_->end() || found->is_null() ? nullptr : &*found;
}

const json& results_object::get(const char* key) const {
    const json* found = find(key);
    if (!found) refuse(fmt::format("key \"{}\" is missing", key));
    return *found;
}

template <class T>
T results_object::as(const json& value, const char* key, bool right_type, const char* type) const {
    if (!right_type) refuse(fmt::format("key \"{}\" should be {}, is {}", key, type, value.type_name()));
    return value.get<T>();
}

std::string results_object::text(const char* key) const {
    const json& v = get(key);
    return as<std::string>(v, key, v.is_string(), "a text");
}

double results_object::number(const char* key) const {
    const json& v = get(key);
    return as<double>(v, key, v.is_number(), "a number");
}

std::int64_t results_object::integer(const char* key) const {
    const json& v = get(key);
    const bool fits = !v.is_number_unsigned() || std::in_range<std::int64_t>(v.get<std::uint64_t>());
    return as<std::int64_t>(v, key, v.is_number_integer() && fits, "a whole number of 64 bits");
}

results_object results_object::object(const char* key) const { return {get(key), fmt::format("{}: {}", place_, key)}; }

std::vector<results_object> results_object::objects(const char* key) const {
    const json& v = get(key);
    if (!v.is_array()) refuse(fmt::format("key \"{}\" should be a list, is {}", key, v.type_name()));
    std::vector<results_object> out;
    for (const json& element : v) out.emplace_back(element, fmt::format("{}: {}[{}]", place_, key, out.size()));
    return out;
}

std::vector<std::string> results_object::texts_if(const char* key) const {
    return find(key) == nullptr ? std::vector<std::string>{} : texts(key);
}

std::vector<std::string> results_object::texts(const char* key) const {
    const json& v = get(key);
    const bool right = v.is_array() && std::ranges::all_of(v, [](const json& e) { return e.is_string(); });
    return as<std::vector<std::string>>(v, key, right, "a list of texts");
}

std::string results_object::text_or_empty(const char* key) const { return find(key) ? text(key) : std::string(); }

std::optional<double> results_object::number_if(const char* key) const {
    return find(key) ? std::optional(number(key)) : std::nullopt;
}

std::optional<std::int64_t> results_object::integer_if(const char* key) const {
    return find(key) ? std::optional(integer(key)) : std::nullopt;
}

std::optional<bool> results_object::boolean_if(const char* key) const {
    const json* v = find(key);
    return v ? std::optional(as<bool>(*v, key, v->is_boolean(), "true or false")) : std::nullopt;
}

std::optional<results_object> results_object::object_if(const char* key) const {
    return find(key) ? std::optional(object(key)) : std::nullopt;
}

std::vector<results_object> results_object::objects_if(const char* key) const {
    return find(key) ? objects(key) : std::vector<results_object>();
}

} // namespace chimera::host
