#include "protocol/error_body.hpp"

#include "protocol/excerpt.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace chimera::host {

namespace {

using nlohmann::json;

constexpr std::size_t message_limit = 300;
constexpr int deepest = 6; ///< levels of a document that are searched

const json& at(const json& object, std::string_view key) {
    static const json none;
    if (!object.is_object()) return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

/// null, false, 0, "", [], {} and structures of these: a field for errors in a record without one.
bool says_nothing(const json& value, int depth = deepest) {
    if (value.is_structured())
        return depth != 0 &&
               std::ranges::all_of(value, [depth](const json& part) { return says_nothing(part, depth - 1); });
    if (value.is_string()) return value.get_ref<const std::string&>().empty();
    if (value.is_boolean()) return !value.get<bool>();
    return value.is_null() || (value.is_number() && value.get<double>() == 0);
}

bool is_deep(const json& value, int depth) {
    if (!value.is_structured()) return false;
    return depth == 0 || std::ranges::any_of(value, [depth](const json& part) { return is_deep(part, depth - 1); });
}

/// As text. The library recurses: a document of a hundred thousand levels would use up the stack.
std::string dump(const json& value) {
    constexpr int most_levels = 100;
    if (is_deep(value, most_levels)) return "an object with more levels than can be shown";
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A text or a number as text; empty for anything else.
std::string scalar(const json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_number() ? dump(value) : std::string();
}

std::string first_scalar(const json& object, std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys)
        if (!says_nothing(at(object, key)))
            if (std::string text = scalar(at(object, key)); !text.empty()) return text;
    return {};
}

std::string message_of(const json& value, int depth = deepest);

/// FastAPI's {"loc":["body","prompt"],"msg":"field required"}.
std::string place_of(const json& object) {
    std::string place;
    if (const json& loc = at(object, "loc"); loc.is_array())
        for (const json& step : loc)
            if (const std::string text = scalar(step); !text.empty()) place += (place.empty() ? "" : ".") + text;
    return place.empty() ? place : place + ": ";
}

std::string message_of(const json& value, int depth) {
    if (depth == 0) return {};
    if (value.is_array()) {
        std::string all;
        for (const json& part : value) {
            if (all.size() > message_limit) break;
            if (const std::string text = message_of(part, depth - 1); !text.empty())
                all += (all.empty() ? "" : "; ") + text;
        }
        return all;
    }
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_object()) return {};
    for (const char* key : {"message", "msg", "error_message", "error_msg", "status_msg", "detail", "error", "errors",
                            "error_description", "description", "reason", "title", "text"})
        if (std::string text = message_of(at(value, key), depth - 1); !text.empty()) return place_of(value) + text;
    return {};
}

/// "message (code 1234, type x)", as far as known. `around`: the record that contains the error.
std::string with_code(const std::string& message, const json& error, const json& around) {
    std::string code = first_scalar(error, {"code", "error_code", "status_code"});
    if (code.empty()) code = first_scalar(around, {"error_code", "code", "status_code"});
    std::string type = first_scalar(error, {"type", "error_type"});
    if (type.empty()) type = first_scalar(around, {"error_type", "type"});
    std::string both;
    if (!code.empty() && code != message) both = "code " + code;
    if (!type.empty() && type != "error" && type != code && type != message)
        both += (both.empty() ? "type " : ", type ") + type;
    const std::string said = excerpt(message, message_limit);
    if (both.empty()) return said.empty() ? excerpt(dump(error), message_limit) : said;
    return said.empty() ? excerpt(both, message_limit) : said + " (" + excerpt(both, 120) + ")";
}

bool is_text(const json& value, std::initializer_list<std::string_view> words) {
    if (!value.is_string()) return false;
    return std::ranges::find(words, std::string_view(value.get_ref<const std::string&>())) != words.end();
}

/// The error in a field for errors.
std::optional<std::string> error_field(const json& record) {
    for (const char* key : {"error", "errors", "error_message", "error_msg"}) {
        const json& error = at(record, key);
        if (says_nothing(error)) continue;
        std::string message = message_of(error);
        // {"status":500,"error":"Internal Server Error","message":"out of memory"}: the second says more.
        if (const std::string more = message_of(at(record, "message"));
            error.is_string() && !more.empty() && more != message)
            message += ": " + more;
        if (!error.is_structured() && message.empty()) message = message_of(record);
        return with_code(message, error, record);
    }
    if (!says_nothing(at(record, "error_type")) || !says_nothing(at(record, "error_code")))
        return with_code(message_of(record), record, record);
    return std::nullopt;
}

std::optional<std::string> error_of(const json& record, bool beside_content) {
    if (record.is_array() && !record.empty() && record.front().is_object())
        return error_of(record.front(), beside_content);
    if (!record.is_object()) return std::nullopt;
    if (auto error = error_field(record)) return error;
    if (const json& groq = at(record, "x_groq"); groq.is_object())
        if (auto error = error_field(groq)) return error;
    const json& base = at(record, "base_resp");
    if (!says_nothing(at(base, "status_code"))) return with_code(scalar(at(base, "status_msg")), base, record);
    const json& success = at(record, "success");
    const bool declared = is_text(at(record, "object"), {"error"}) || is_text(at(record, "type"), {"error"}) ||
                          is_text(at(record, "status"), {"error", "failed", "failure"}) ||
                          (success.is_boolean() && !success.get<bool>());
    if (declared) return with_code(message_of(record), record, record);
    if (beside_content) return std::nullopt;
    if (const json& detail = at(record, "detail"); !says_nothing(detail))
        return with_code(message_of(detail), detail, record);
    const bool has_message = !scalar(at(record, "message")).empty() || !scalar(at(record, "msg")).empty();
    if (has_message && !says_nothing(at(record, "code")) && !is_text(at(record, "code"), {"0", "ok", "OK", "success"}))
        return with_code(message_of(record), record, record);
    return std::nullopt;
}

/// The data of an error that was sent as an event, although the HTTP status was an error too.
std::string_view event_data(std::string_view body) {
    for (const std::string_view name : {"data:", "error:"}) {
        const std::size_t found = body.starts_with(name) ? 0 : body.find("\n" + std::string(name));
        if (found == std::string_view::npos) continue;
        const std::string_view rest = body.substr(body.find(':', found) + 1);
        return trimmed(rest.substr(0, rest.find_first_of("\r\n")));
    }
    return {};
}

} // namespace

bool is_error_field(std::string_view name) noexcept {
    return name == "error" || name == "errors" || name == "error_message" || name == "error_msg" ||
           name == "error_type" || name == "error_code";
}

std::optional<std::string> error_in(std::string_view text, bool beside_content) {
    return error_of(json::parse(text, nullptr, false), beside_content);
}

std::string parse_error_body(std::string_view body) {
    body = trimmed(body);
    if (body.empty()) return "empty body";
    json document = json::parse(without_byte_order_mark(body), nullptr, false);
    if (document.is_discarded())
        if (const std::string_view data = event_data(body); !data.empty()) {
            body = data;
            document = json::parse(data, nullptr, false);
        }
    if (document.is_string()) return excerpt(document.get_ref<const std::string&>(), message_limit);
    if (auto error = error_of(document, false)) return *error;
    if (document.is_object())
        if (const std::string message = message_of(document); !message.empty()) return excerpt(message, message_limit);
    return excerpt(body, message_limit);
}

} // namespace chimera::host
