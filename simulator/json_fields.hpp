#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "generation_request.hpp"

namespace chimera::sim {

/// Optional fields of a JSON request. Missing and null are the same; a wrong type throws request_error (400) naming the
/// field.
template <typename Type>
std::optional<Type> json_field(simdjson::dom::object object, std::string_view name, std::string_view wanted) {
    simdjson::dom::element value;
    if (object[name].get(value) != simdjson::SUCCESS || value.is_null()) {
        return std::nullopt;
    }
    Type result;
    if (value.get(result) != simdjson::SUCCESS) {
        throw request_error{400, "invalid value for '" + std::string(name) + "': expected " + std::string(wanted)};
    }
    return result;
}

inline std::optional<std::string_view> text_field(simdjson::dom::object object, std::string_view name) {
    return json_field<std::string_view>(object, name, "a string");
}

inline std::optional<std::int64_t> whole_field(simdjson::dom::object object, std::string_view name) {
    return json_field<std::int64_t>(object, name, "a whole number");
}

inline std::optional<bool> bool_field(simdjson::dom::object object, std::string_view name) {
    return json_field<bool>(object, name, "true or false");
}

/// The request's body, which must be a JSON object.
inline simdjson::dom::object parse_body(simdjson::dom::parser& parser, const std::string& body) {
    simdjson::dom::element root;
    simdjson::dom::object object;
    if (body.empty()) {
        throw request_error{400, "missing request body"};
    }
    if (const auto error = parser.parse(body).get(root); error != simdjson::SUCCESS) {
        throw request_error{400, std::string("invalid JSON: ") + simdjson::error_message(error)};
    }
    if (root.get(object) != simdjson::SUCCESS) {
        throw request_error{400, "invalid JSON: expected an object"};
    }
    return object;
}

} // namespace chimera::sim
