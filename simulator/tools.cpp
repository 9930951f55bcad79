#include "tools.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "generation_request.hpp"
#include "pacing.hpp"
#include "reply_text.hpp"

namespace chimera::sim {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_argument_bytes = std::size_t{16} << 10;
constexpr std::size_t longest_schema_text = 256;
constexpr std::size_t longest_piece = 32;
constexpr int deepest_schema = 8;
constexpr std::size_t longest_tool_name = 128;

/// Makes values that fit a JSON schema. A schema may ask for far more than a reply has room for, so it stops adding
/// properties when the arguments are long enough.
class argument_writer {
  public:
    explicit argument_writer(std::uint64_t seed) : state_(seed) {}

    ordered_json value(simdjson::dom::element schema, int depth) {
        simdjson::dom::object fields;
        if (depth > deepest_schema || schema.get(fields) != simdjson::SUCCESS) {
            return text();
        }
        simdjson::dom::element given;
        if (fields["const"].get(given) == simdjson::SUCCESS && fits(given)) {
            return ordered_json::parse(simdjson::minify(given));
        }
        for (const auto* name : {"enum", "anyOf", "oneOf"}) {
            simdjson::dom::array choices;
            if (fields[name].get(choices) != simdjson::SUCCESS || choices.size() == 0) {
                continue;
            }
            const auto first = *choices.begin();
            if (name != std::string_view("enum")) {
                return value(first, depth + 1);
            }
            if (fits(first)) {
                return ordered_json::parse(simdjson::minify(first));
            }
        }
        const auto type = type_of(fields);
        if (type == "object") {
            return object(fields, depth);
        }
        if (type == "array") {
            simdjson::dom::element items;
            auto list = ordered_json::array();
            if (fields["items"].get(items) == simdjson::SUCCESS) {
                list.push_back(value(items, depth + 1));
            }
            return list;
        }
        if (type == "integer") {
            return draw() % 100;
        }
        if (type == "number") {
            return static_cast<double>(draw() % 1000) / 8.0;
        }
        if (type == "boolean") {
            return draw() % 2 == 0;
        }
        return type == "null" ? ordered_json() : ordered_json(text());
    }

  private:
    static bool fits(simdjson::dom::element given) { return simdjson::minify(given).size() <= longest_schema_text; }

    /// The first type that the schema allows, other than null.
    static std::string_view type_of(simdjson::dom::object fields) {
        simdjson::dom::element type;
        if (fields["type"].get(type) != simdjson::SUCCESS) {
            simdjson::dom::element properties;
            return fields["properties"].get(properties) == simdjson::SUCCESS ? "object" : "string";
        }
        if (type.is_string()) {
            return type.get_string().value();
        }
        simdjson::dom::array types;
        if (type.get(types) == simdjson::SUCCESS) {
            for (const auto each : types) {
                if (each.is_string() && each.get_string().value() != std::string_view("null")) {
                    return each.get_string().value();
                }
            }
        }
        return "string";
    }

    ordered_json object(simdjson::dom::object fields, int depth) {
        auto result = ordered_json::object();
        simdjson::dom::object properties;
        if (fields["properties"].get(properties) != simdjson::SUCCESS) {
            return result;
        }
        for (const auto [name, schema] : properties) {
            if (bytes_ > most_argument_bytes || name.size() > longest_schema_text) {
                continue;
            }
            bytes_ += name.size();
            auto one = value(schema, depth + 1);
            bytes_ += one.is_structured() ? 2 : one.dump().size();
            result[std::string(name)] = std::move(one);
        }
        return result;
    }

    std::string text() {
        std::string words;
        for (const auto token : compose_prose(draw(), 4)) {
            words += token_text(token);
        }
        return words;
    }

    std::uint64_t draw() { return state_ = mix(state_); }

    std::uint64_t state_;
    std::size_t bytes_ = 0;
};

/// The tool's function; throws where there is none with a name.
simdjson::dom::object function_of(simdjson::dom::element tool) {
    simdjson::dom::object fields;
    simdjson::dom::object function;
    if (tool.get(fields) != simdjson::SUCCESS || fields["function"].get(function) != simdjson::SUCCESS) {
        throw request_error{400, "invalid value for 'tools': expected objects with a 'function'"};
    }
    const auto name = text_field(function, "name").value_or("");
    if (name.empty() || name.size() > longest_tool_name) {
        throw request_error{
            400, fmt::format("invalid value for 'tools': a function's name has 1 to {} bytes", longest_tool_name)};
    }
    return function;
}

void read_choice(simdjson::dom::object root, tool_request& request) {
    simdjson::dom::element choice;
    if (root["tool_choice"].get(choice) != simdjson::SUCCESS || choice.is_null()) {
        return;
    }
    if (choice.is_string()) {
        const auto word = choice.get_string().value();
        request.never = word == "none";
        request.always = word == "required";
        if (!request.never && !request.always && word != "auto") {
            throw request_error{400, fmt::format("invalid value for 'tool_choice': '{}'", word)};
        }
    } else {
        simdjson::dom::object fields;
        simdjson::dom::object function;
        if (choice.get(fields) != simdjson::SUCCESS || fields["function"].get(function) != simdjson::SUCCESS) {
            throw request_error{400, "invalid value for 'tool_choice': expected none, auto, required or a function"};
        }
        request.always = true;
        request.only = text_field(function, "name").value_or("");
        if (request.only.empty()) {
            throw request_error{400, "invalid value for 'tool_choice': the function has no name"};
        }
    }
    if (request.always && !request.any) {
        throw request_error{400, "'tool_choice' is only allowed when 'tools' are specified"};
    }
}

} // namespace

tool_request read_tools(simdjson::dom::object root, bool has_choice, prompt_reader& prompt) {
    tool_request request;
    if (const auto tools = json_field<simdjson::dom::array>(root, "tools", "an array")) {
        request.tools = *tools;
        for (const auto tool : *tools) {
            function_of(tool);
            prompt.add(simdjson::minify(tool));
            request.any = true;
        }
    }
    if (has_choice) {
        read_choice(root, request);
    }
    return request;
}

std::optional<tool_call> choose_call(const tool_request& request, std::uint64_t seed) {
    if (!request.any || request.never || (request.has_results && !request.always)) {
        return std::nullopt;
    }
    for (const auto tool : request.tools) {
        const auto function = function_of(tool);
        const std::string_view name = text_field(function, "name").value_or("");
        if (!request.only.empty() && name != request.only) {
            continue;
        }
        simdjson::dom::element parameters;
        auto arguments = ordered_json::object();
        if (function["parameters"].get(parameters) == simdjson::SUCCESS && parameters.is_object()) {
            arguments = argument_writer(mix(seed ^ hash_text(name))).value(parameters, 0);
        }
        if (!arguments.is_object()) {
            arguments = ordered_json::object();
        }
        return tool_call{nlohmann::json(name).dump(), arguments.dump()};
    }
    throw request_error{400, fmt::format("'tool_choice' names '{}', which is not among 'tools'", request.only)};
}

std::vector<std::string> pieces_of(std::string_view arguments) {
    const auto is_word = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
    };
    const auto continues_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
    std::vector<std::string> pieces;
    for (std::size_t begin = 0; begin < arguments.size();) {
        std::size_t end = begin + 1; // a leading blank or mark belongs to the word or mark after it
        while (end < arguments.size()) {
            const bool goes_on = is_word(arguments[end]) ? is_word(arguments[end - 1]) || arguments[end - 1] == ' '
                                                         : !is_word(arguments[end - 1]) && arguments[end] != ' ';
            if (!continues_character(arguments[end]) && (!goes_on || end - begin + 4 > longest_piece)) {
                break;
            }
            ++end;
        }
        pieces.emplace_back(arguments.substr(begin, end - begin));
        begin = end;
    }
    return pieces;
}

} // namespace chimera::sim
