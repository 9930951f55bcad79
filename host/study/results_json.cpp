#include "study/results_json.hpp"

#include "report/seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

// A tree of values is copied and written by functions that call themselves: some thousands of levels use up the stack.
constexpr std::size_t most_levels = 100;

/// The place of the bracket that opens one level too many; the text's size where there is none.
std::size_t find_too_deep(std::string_view text) {
    std::size_t level = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"')
            for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\';
        else if ((c == '[' || c == '{') && ++level > most_levels)
            return i;
        else if ((c == ']' || c == '}') && level > 0)
            --level;
    }
    return text.size();
}

json parse(std::string_view text, const std::string& file, std::size_t first_line) {
    const auto place = [&](std::size_t byte) {
        const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
        return fmt::format("{}:{}", file, first_line + static_cast<std::size_t>(std::count(text.begin(), end, '\n')));
    };
    if (const std::size_t deep = find_too_deep(text); deep < text.size())
        throw study_error(fmt::format("{}: has more than {} values in each other", place(deep), most_levels));
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

std::string read_results_text(const std::filesystem::path& path, std::size_t most_bytes) {
    try {
        return read_regular_file(path, most_bytes);
    } catch (const std::runtime_error& e) {
        throw study_error(fmt::format("{}: {}", path.string(), e.what()));
    }
}

json read_results_json(const std::filesystem::path& path) { return read_results_document(path).json; }

results_document read_results_document(const std::filesystem::path& path) {
    const std::string text = read_results_text(path);
    json parsed = parse(text, path.string(), 1); // first: of a file that is cut short it says where
    seal_check check = check_seal(text, seal_form::document);
    if (!check.fault.empty()) throw study_error(fmt::format("{}: {}", path.string(), check.fault));
    return {std::move(parsed), std::move(check.seal)};
}

sound_lines read_sound_lines(const std::filesystem::path& path) {
    const std::string text = read_results_text(path, most_lines_bytes);
    sound_lines out;
    std::size_t number = 1;
    for (std::size_t begin = 0; begin < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = std::string_view(text).substr(begin, end - begin);
        const std::string place = fmt::format("{}:{}", path.string(), number);
        begin = end + 1;
        const seal_check check = check_seal(line, seal_form::line);
        if (end == text.size() && (check.seal.empty() || !check.fault.empty())) {
            out.faults.push_back(place + ": cut short: the last line has no end");
            break;
        }
        try {
            json parsed = parse(line, path.string(), number);
            if (!check.fault.empty()) throw study_error(fmt::format("{}: {}", place, check.fault));
            out.lines.push_back({std::move(parsed), place});
        } catch (const study_error& e) {
            out.faults.push_back(e.what());
        }
    }
    return out;
}

std::vector<results_line> read_results_lines(const std::filesystem::path& path) {
    sound_lines all = read_sound_lines(path);
    if (!all.faults.empty()) throw study_error(all.faults.front());
    return std::move(all.lines);
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

double results_object::figure(const char* key) const {
    const double value = number(key);
    constexpr double most = 1e100, least = 1e-100;
    if (std::abs(value) > most)
        refuse(fmt::format("key \"{}\" is {}; expected at most {} either way", key, value, most));
    return std::abs(value) < least ? 0 : value;
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

std::optional<double> results_object::figure_if(const char* key) const {
    return find(key) ? std::optional(figure(key)) : std::nullopt;
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
