#include "protocol/record_content.hpp"

namespace chimera::host {

namespace od = simdjson::ondemand;

namespace {

constexpr int deepest = 5;

bool is_reasoning(std::string_view name) {
    return name.starts_with("reasoning") || name.starts_with("thinking") || name == "thought";
}

} // namespace

/// Content in parts, while it is being joined. A part may say what it is behind its text.
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

} // namespace chimera::host
