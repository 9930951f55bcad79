// Structs as JSON, both ways, from one table of their members.
//
//     struct point { double x = 0; std::optional<std::string> label; };
//     template <>
//     inline constexpr auto fields_of<point> = field_list(field("x", &point::x, "ms", "distance from the origin"),
//                                                         field("label", &point::label, "", "shown beside the point"));
//
//     to_json(point{1, {}})                           // {"x": 1.0, "label": null}
//     from_json<point>(json, "points.json:3")         // throws results_error: points.json:3: key "x" is missing
//
// An object is a std::map, or a list of pairs where the order of its keys matters. A std::optional that is empty is
// null. That is how a figure that was not measured is written, and the only way.
#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace chimera::host {

using json = nlohmann::ordered_json;

/// Results that cannot be used. what() has one line for each fault: "file:line: what is wrong; what to do".
class results_error : public std::runtime_error {
  public:
    explicit results_error(const std::string& fault) : std::runtime_error(fault) {}
    /// Shows the first twenty faults and counts the rest.
    explicit results_error(const std::vector<std::string>& faults);
};

/// When a member is written, and whether it must be there when it is read.
enum class presence : std::uint8_t {
    required,  ///< always written; a missing key is an error, unless the type is std::optional
    defaulted, ///< always written; a missing key or null leaves the member as it is
    left_out   ///< written only if it is not empty; a missing key or null leaves the member as it is
};

/// One member of a struct. text is its definition: docs/output.md prints it.
template <class Owner, class Member>
struct field_row {
    const char* name;
    Member Owner::*member;
    const char* unit;
    const char* text;
    presence when = presence::required;

    constexpr field_row defaulted() const { return {name, member, unit, text, presence::defaulted}; }
    constexpr field_row left_out() const { return {name, member, unit, text, presence::left_out}; }
};

template <class Owner, class Member>
constexpr field_row<Owner, Member> field(const char* name, Member Owner::*member, const char* unit = "",
                                         const char* text = "") {
    return {name, member, unit, text};
}

/// The fields of a struct, in the order of the file: field_list(rows...)(visit) calls visit(rows...). A closure and not
/// a std::tuple, because tuples of thirty fields took the compiler seconds in each source.
template <class... Rows>
constexpr auto field_list(Rows... rows) {
    return [rows...](const auto& visit) { return visit(rows...); };
}

/// The fields of a base, and more.
template <class Base, class... Rows>
constexpr auto field_list_after(const Base& base, Rows... rows) {
    return base([&](const auto&... first) { return field_list(first..., rows...); });
}

/// Specialize it for a struct: its field_list.
template <class T>
inline constexpr std::nullptr_t fields_of = nullptr;

/// Specialize it for an enum: a std::array of pairs of a value and its word.
template <class T>
inline constexpr std::nullptr_t words_of_enum = nullptr;

template <class T>
concept has_fields = !std::same_as<std::remove_cvref_t<decltype(fields_of<T>)>, std::nullptr_t>;
template <class T>
concept has_words = !std::same_as<std::remove_cvref_t<decltype(words_of_enum<T>)>, std::nullptr_t>;

/// The word of an enumerator.
template <has_words T>
constexpr std::string_view word_of(T value) noexcept {
    for (const auto& [known, word] : words_of_enum<T>)
        if (known == value) return word;
    return "unknown";
}

namespace json_fields {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool is_object_list = false;
template <class T>
inline constexpr bool is_object_list<std::vector<std::pair<std::string, T>>> = true;

template <class T>
bool is_empty(const T& value) {
    if constexpr (is_optional<T>)
        return !value.has_value();
    else if constexpr (requires { value.empty(); })
        return value.empty();
    else if constexpr (std::is_arithmetic_v<T>)
        return value == T{};
    else
        return false;
}

/// Bytes of a document that are kept before its sink gets them.
inline constexpr std::size_t longest_kept = std::size_t{64} << 10U;

/// "place: key".
inline std::string member_place(std::string place, std::string_view key) { return place.append(": ").append(key); }

/// Errors of reading, each with its place.
[[noreturn]] void refuse(const std::string& place, const std::string& what);
[[noreturn]] void refuse_type(const std::string& place, const char* expected, const json& found);
[[noreturn]] void refuse_missing(const std::string& place, const char* key);
[[noreturn]] void refuse_word(const std::string& place, const std::string& found,
                              const std::vector<std::string>& known);

/// A number to compute with. One whose square would be infinite is refused; one whose quotient would be is 0.
double read_number(const json&, const std::string& place);
std::int64_t read_integer(const json&, const std::string& place);
std::uint64_t read_count(const json&, const std::string& place);
std::string read_text(const json&, const std::string& place);
bool read_bool(const json&, const std::string& place);

/// Text in quotes, with a byte that is not UTF-8 as U+FFFD.
void append_text(std::string& out, std::string_view);
void append_number(std::string& out, double);
void append_integer(std::string& out, std::int64_t);
void append_tree(std::string& out, const json&, int depth);
/// Begins a line at this depth; nothing below 0.
void begin_line(std::string& out, int depth);

} // namespace json_fields

template <class T>
json to_json(const T& value) {
    using namespace json_fields;
    if constexpr (has_fields<T>) {
        json out = json::object();
        fields_of<T>([&](const auto&... rows) {
            const auto add = [&](const auto& row) {
                const auto& member = value.*row.member;
                if (row.when != presence::left_out || !is_empty(member)) out[row.name] = to_json(member);
            };
            (add(rows), ...);
        });
        return out;
    } else if constexpr (has_words<T>) {
        return word_of(value);
    } else if constexpr (is_optional<T>) {
        return value ? to_json(*value) : json(nullptr);
    } else if constexpr (is_map<T> || is_object_list<T>) {
        json out = json::object();
        for (const auto& [key, element] : value) out[key] = to_json(element);
        return out;
    } else if constexpr (is_vector<T>) {
        json out = json::array();
        for (const auto& element : value) out.push_back(to_json(element));
        return out;
    } else if constexpr (std::same_as<T, std::filesystem::path>) {
        return value.string();
    } else if constexpr (requires { json_array_of(value); }) {
        return to_json(json_array_of(value));
    } else {
        return json(value);
    }
}

/// Reads a value; its place is named in errors: "metrics.json: concurrent: agents[0]". Throws results_error.
template <class T>
void from_json(T& value, const json& j, const std::string& place) {
    using namespace json_fields;
    if constexpr (has_fields<T>) {
        if (!j.is_object()) refuse_type(place, "an object", j);
        fields_of<T>([&](const auto&... rows) {
            const auto read = [&](const auto& row) {
                auto& member = value.*row.member;
                const auto found = j.find(row.name);
                if (found != j.end() && !found->is_null())
                    from_json(member, *found, place + ": " + row.name);
                else if constexpr (!is_optional<std::remove_cvref_t<decltype(member)>>)
                    if (row.when == presence::required) refuse_missing(place, row.name);
            };
            (read(rows), ...);
        });
    } else if constexpr (has_words<T>) {
        const std::string word = read_text(j, place);
        for (const auto& [known, name] : words_of_enum<T>)
            if (name == word) {
                value = known;
                return;
            }
        std::vector<std::string> known;
        for (const auto& entry : words_of_enum<T>) known.emplace_back(entry.second);
        refuse_word(place, word, known);
    } else if constexpr (is_optional<T>) {
        if (j.is_null()) return value.reset();
        from_json(value.emplace(), j, place);
    } else if constexpr (is_object_list<T>) {
        if (!j.is_object()) refuse_type(place, "an object", j);
        value.clear();
        for (const auto& [key, element] : j.items())
            from_json(value.emplace_back(key, typename T::value_type::second_type{}).second, element,
                      member_place(place, key));
    } else if constexpr (is_vector<T>) {
        if (!j.is_array()) refuse_type(place, "a list", j);
        value.clear();
        value.reserve(j.size());
        for (const json& element : j) {
            const std::string at = place + "[" + std::to_string(value.size()) + "]";
            from_json(value.emplace_back(), element, at);
        }
    } else if constexpr (is_map<T>) {
        if (!j.is_object()) refuse_type(place, "an object", j);
        value.clear();
        for (const auto& [key, element] : j.items()) from_json(value[key], element, member_place(place, key));
    } else if constexpr (requires { read_json_array(value, j, place); }) {
        read_json_array(value, j, place);
    } else if constexpr (std::same_as<T, json>) {
        value = j;
    } else if constexpr (std::same_as<T, bool>) {
        value = read_bool(j, place);
    } else if constexpr (std::floating_point<T>) {
        value = static_cast<T>(read_number(j, place));
    } else if constexpr (std::unsigned_integral<T>) {
        const std::uint64_t n = read_count(j, place);
        if (!std::in_range<T>(n)) refuse_type(place, "a smaller number", j);
        value = static_cast<T>(n);
    } else if constexpr (std::signed_integral<T>) {
        const std::int64_t n = read_integer(j, place);
        if (!std::in_range<T>(n)) refuse_type(place, "a smaller number", j);
        value = static_cast<T>(n);
    } else {
        value = read_text(j, place);
    }
}

template <class T>
T from_json(const json& j, const std::string& place) {
    T out{};
    from_json(out, j, place);
    return out;
}

/// Takes what there is of a text, and empties it; the end of the text is left.
using text_sink = std::function<void(std::string&)>;

/// Appends the value as JSON, without a tree of values: lines of requests hold one list of numbers for each token, and
/// a run may have thousands of agents. depth: how far in the value stands in a document, where each member of an object
/// and each element of a list has a line of its own, indented by two; an element stands on its line as a whole. Below
/// 0: all on one line, the same as to_json(value).dump(). sink: where a long document is not kept as a whole.
template <class T>
void append_json(std::string& out, const T& value, int depth = -1, const text_sink* sink = nullptr) {
    using namespace json_fields;
    const int inside = depth < 0 ? depth : depth + 1;
    const auto member = [&](const char*& separator, std::string_view name) {
        out += std::exchange(separator, ",");
        begin_line(out, inside);
        append_text(out, name);
        out += depth < 0 ? ":" : ": ";
    };
    const auto end_object = [&](const char* separator) {
        if (*separator == '{') // without a member
            out += '{';
        else
            begin_line(out, depth);
        out += '}';
    };
    if constexpr (has_fields<T>) {
        const char* separator = "{";
        fields_of<T>([&](const auto&... rows) {
            const auto add = [&](const auto& row) {
                const auto& content = value.*row.member;
                if (row.when == presence::left_out && is_empty(content)) return;
                member(separator, row.name);
                append_json(out, content, inside, sink);
            };
            (add(rows), ...);
        });
        end_object(separator);
    } else if constexpr (has_words<T>) {
        append_text(out, word_of(value));
    } else if constexpr (is_optional<T>) {
        value ? append_json(out, *value, depth, sink) : void(out += "null");
    } else if constexpr (is_map<T> || is_object_list<T>) {
        const char* separator = "{";
        for (const auto& [key, element] : value) {
            member(separator, key);
            append_json(out, element, inside, sink);
        }
        end_object(separator);
    } else if constexpr (is_vector<T>) {
        out += '[';
        for (const auto& element : value) {
            if (&element != value.data()) out += ',';
            begin_line(out, inside);
            append_json(out, element);
            if (sink && out.size() >= longest_kept) (*sink)(out);
        }
        if (!value.empty()) begin_line(out, depth);
        out += ']';
    } else if constexpr (requires { append_json_array(out, value); }) {
        append_json_array(out, value);
    } else if constexpr (std::same_as<T, bool>) {
        out += value ? "true" : "false";
    } else if constexpr (std::floating_point<T>) {
        append_number(out, value);
    } else if constexpr (std::integral<T>) {
        append_integer(out, static_cast<std::int64_t>(value));
    } else if constexpr (std::convertible_to<T, std::string_view>) {
        append_text(out, value);
    } else {
        append_tree(out, to_json(value), depth);
    }
}

/// Replaces every text within the value, keys of maps too.
template <class T, class F>
void for_each_text(T& value, const F& replaced) {
    using namespace json_fields;
    if constexpr (std::same_as<T, std::string>) {
        value = replaced(value);
    } else if constexpr (has_fields<T>) {
        fields_of<T>([&](const auto&... rows) { (for_each_text(value.*rows.member, replaced), ...); });
    } else if constexpr (is_optional<T>) {
        if (value) for_each_text(*value, replaced);
    } else if constexpr (is_object_list<T>) {
        for (auto& [key, element] : value) {
            key = replaced(key);
            for_each_text(element, replaced);
        }
    } else if constexpr (is_vector<T>) {
        for (auto& element : value) for_each_text(element, replaced);
    } else if constexpr (is_map<T>) {
        T out;
        for (auto& [key, element] : value) {
            for_each_text(element, replaced);
            out.emplace(replaced(key), std::move(element));
        }
        value = std::move(out);
    } else if constexpr (std::same_as<T, json>) {
        if (value.is_string()) {
            value = replaced(value.template get_ref<const std::string&>());
        } else if (value.is_array()) {
            for (json& element : value) for_each_text(element, replaced);
        } else if (value.is_object()) {
            json out = json::object();
            for (auto& [key, element] : value.items()) {
                for_each_text(element, replaced);
                out[replaced(key)] = std::move(element);
            }
            value = std::move(out);
        }
    }
}

} // namespace chimera::host
