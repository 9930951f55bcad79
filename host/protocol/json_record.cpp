#include "protocol/json_record.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace chimera::host {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// The code unit of an escape \uXXXX at the beginning of `text`; -1: there is none.
int escaped_unit(std::string_view text) noexcept {
    if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return -1;
    int unit = 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
    return error == std::errc() && end == text.data() + 6 && unit >= 0 ? unit : -1;
}

bool is_high(int unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(int unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

/// The length of the escape or character at the beginning of `text`, which is inside a string. 0: it is broken, and
/// `bad` bytes are to be replaced.
std::size_t sound_length(std::string_view text, std::size_t& bad) {
    if (text.front() != '\\') {
        bad = 1;
        const first_character first(text);
        return first.is_utf8 ? first.bytes.size() : 0;
    }
    const int unit = escaped_unit(text);
    if (is_high(unit) && is_low(escaped_unit(text.substr(6)))) return 12;
    bad = 6;
    if (is_high(unit) || is_low(unit)) return 0;
    return std::min<std::size_t>(unit >= 0 ? 6 : 2, text.size());
}

constexpr int deepest = 5;

bool is_reasoning(std::string_view name) {
    return name.starts_with("reasoning") || name.starts_with("thinking") || name == "thought";
}

template <class Number>
std::optional<Number> parsed(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// A whole number, however it is written.
std::optional<std::int64_t> whole(std::string_view text, std::int64_t most) {
    if (const auto number = parsed<std::int64_t>(text)) return *number >= 0 && *number <= most ? number : std::nullopt;
    const auto number = parsed<double>(text);
    if (!number || !(*number >= 0 && *number <= static_cast<double>(most)) || std::floor(*number) != *number)
        return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

} // namespace

static_assert(record_padding >= simdjson::SIMDJSON_PADDING);

json_scratch& json_scratch::of_this_thread() {
    thread_local json_scratch scratch;
    return scratch;
}

simdjson::ondemand::document json_scratch::open(record_view record) {
    if (record.slack < record_padding) {
        copy_.clear();
        copy_.append(record.text);
        record = copy_.view();
    }
    // By itself the parser grows to the exact size of each longer record, and allocates again and again.
    if (parser_.capacity() < record.text.size()) {
        const std::size_t capacity = std::max({record.text.size(), parser_.capacity() * 2, std::size_t{4096}});
        if (const auto error = parser_.allocate(capacity)) throw simdjson::simdjson_error(error);
    }
    return parser_.iterate(record.text.data(), record.text.size(), record.text.size() + record.slack);
}

bool json_scratch::repair(record_view& record) {
    repaired_.clear();
    std::string_view rest = record.text;
    std::size_t sound = 0; // bytes at the beginning of rest
    bool in_string = false, changed = false;
    while (sound < rest.size()) {
        if (rest[sound] == '"') in_string = !in_string;
        if (!in_string || rest[sound] == '"') {
            ++sound;
            continue;
        }
        std::size_t bad = 0;
        const std::size_t length = sound_length(rest.substr(sound), bad);
        sound += length;
        if (length != 0) continue;
        repaired_.append(rest.substr(0, sound));
        repaired_.append(replacement);
        rest.remove_prefix(sound + bad);
        sound = 0;
        changed = true;
    }
    if (!changed) return false;
    repaired_.append(rest);
    record = repaired_.view();
    return true;
}

bool has_surrogate_escape(std::string_view record) noexcept {
    for (std::size_t at = record.find('\\'); at != std::string_view::npos; at = record.find('\\', at + 2)) {
        const int unit = escaped_unit(record.substr(at));
        if (is_high(unit) || is_low(unit)) return true;
    }
    return false;
}

void require_end(simdjson::ondemand::document& document) {
    // Only at the end is there no location.
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
    }
}

namespace od = simdjson::ondemand;

/// Content in parts, while it is being joined. The type of a part may come after its text.
struct content_reader::gathered {
    std::string text, reasoning;
    std::uint64_t skipped = 0;
};

std::string_view content_reader::string_of(od::value value) const {
    if (decode_) return value.get_string();
    const char* raw = od::raw_json_string(value.get_raw_json_string()).raw();
    return *raw == '"' ? std::string_view{} : std::string_view{raw, 1};
}

void content_reader::read_text(od::value value, record_content& to) {
    if (value.is_null()) return;
    const auto type = od::json_type(value.type());
    std::string& joined = json_scratch::of_this_thread().text;
    if (type != od::json_type::array && type != od::json_type::object) {
        const std::string_view piece = string_of(value);
        if (piece.empty()) return;
        if (to.text.empty()) {
            to.text = piece;
            return;
        }
        if (to.text.data() != joined.data()) joined = to.text;
        joined += piece;
    } else {
        gathered parts;
        gather(value, false, deepest, parts);
        to.skipped_parts += parts.skipped;
        if (!parts.reasoning.empty()) {
            std::string& reasoning = json_scratch::of_this_thread().reasoning;
            reasoning = parts.reasoning;
            to.reasoning = reasoning;
        }
        if (parts.text.empty()) return;
        if (to.text.data() != joined.data()) joined = to.text;
        joined += parts.text;
    }
    to.text = joined;
}

void content_reader::read_reasoning(od::value value, record_content& to) {
    if (value.is_null()) return;
    const auto type = od::json_type(value.type());
    std::string_view piece;
    if (type == od::json_type::array || type == od::json_type::object) {
        gathered parts;
        gather(value, true, deepest, parts);
        if (parts.reasoning.empty()) return;
        std::string& reasoning = json_scratch::of_this_thread().reasoning;
        reasoning = parts.reasoning;
        piece = reasoning;
    } else {
        piece = string_of(value);
    }
    if (!piece.empty()) to.reasoning = piece;
}

void content_reader::gather(od::value value, bool as_reasoning, int depth, gathered& to) {
    switch (od::json_type(value.type())) {
    case od::json_type::string:
        (as_reasoning ? to.reasoning : to.text) += string_of(value);
        break;
    case od::json_type::array:
        if (depth == 0) break;
        for (auto element : value.get_array()) gather(element.value(), as_reasoning, depth - 1, to);
        break;
    case od::json_type::object:
        if (depth != 0) gather_part(value.get_object(), as_reasoning, depth - 1, to);
        break;
    default:
        if (!value.is_null()) ++to.skipped;
    }
}

void content_reader::gather_part(od::object part, bool as_reasoning, int depth, gathered& to) {
    gathered here;
    bool known = false;
    for (auto entry : part) {
        const std::string_view key = entry.unescaped_key();
        od::value value = entry.value();
        if (key == "type") {
            if (od::json_type(value.type()) == od::json_type::string)
                as_reasoning = as_reasoning || is_reasoning(std::string_view(value.get_string()));
        } else if (key == "text" || key == "content" || key == "refusal" || key == "value" || key == "summary") {
            known = true;
            gather(value, key == "summary", depth, here);
        } else if (key == "thinking" || key == "reasoning" || key == "reasoning_content") {
            known = true;
            gather(value, true, depth, here);
        }
    }
    if (!known) ++here.skipped;
    to.skipped += here.skipped;
    to.reasoning += here.reasoning;
    (as_reasoning ? to.reasoning : to.text) += here.text;
}

void content_reader::read_message(od::object message, record_content& to) {
    for (auto entry : message) {
        field = entry.unescaped_key();
        od::value value = entry.value();
        if (field == "content" || field == "refusal") {
            read_text(value, to);
        } else if (field == "reasoning_content" || field == "reasoning" || field == "thinking" ||
                   field == "reasoning_details") {
            read_reasoning(value, to);
        } else if (field == "tool_calls" || field == "function_call") {
            read_tool_calls(value, deepest, to);
        }
    }
}

/// Adds the bytes of names and arguments. Arguments are a piece of text (OpenAI) or an object (Ollama).
void content_reader::read_tool_calls(od::value value, int depth, record_content& to) {
    if (depth == 0 || value.is_null()) return;
    const auto type = od::json_type(value.type());
    if (type == od::json_type::array) {
        for (auto element : value.get_array()) read_tool_calls(element.value(), depth - 1, to);
    } else if (type == od::json_type::object) {
        for (auto entry : value.get_object()) {
            const std::string_view key = entry.unescaped_key();
            od::value part = entry.value();
            if (key == "function" || key == "custom") {
                read_tool_calls(part, depth - 1, to);
            } else if (key == "name" || key == "arguments" || key == "input") {
                const auto kind = od::json_type(part.type());
                if (kind == od::json_type::string)
                    to.tool_call_bytes += string_of(part).size();
                else if (kind == od::json_type::object || kind == od::json_type::array)
                    to.tool_call_bytes += std::string_view(simdjson::to_json_string(part)).size();
            }
        }
    }
}

std::optional<std::int64_t> figure_reader::read(std::string_view name, std::string_view token, std::int64_t most) {
    token = trimmed(token);
    if (token == "null") return std::nullopt;
    const auto figure = whole(token, most);
    if (!figure && unreadable_.empty()) unreadable_ = fmt::format("{}: {}", name, excerpt(token, 40));
    return figure;
}

void figure_reader::count(std::string_view name, std::string_view token, std::optional<std::uint64_t>& figure) {
    if (const auto read_here = read(name, token, most_tokens))
        add_count(figure, static_cast<std::uint64_t>(*read_here));
}

void figure_reader::duration(std::string_view name, std::string_view token, std::optional<std::int64_t>& figure) {
    if (const auto read_here = read(name, token, most_ns)) figure = read_here;
}

void add_count(std::optional<std::uint64_t>& figure, const std::optional<std::uint64_t>& later) noexcept {
    if (later && (*later != 0 || !figure)) figure = later;
}

} // namespace chimera::host
