#include "openai_api.hpp"

#include <charconv>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_fields.hpp"
#include "openai_format.hpp"
#include "pacing.hpp"
#include "prompt.hpp"

namespace chimera::sim {
namespace {

/// Adds a content to the prompt: a string, or parts of which those with text count.
void add_content(simdjson::dom::element content, prompt_reader& prompt) {
    if (content.is_null()) {
        return;
    }
    if (content.is_string()) {
        prompt.add(content.get_string().value());
        return;
    }
    simdjson::dom::array parts;
    if (content.get(parts) != simdjson::SUCCESS) {
        throw request_error{400, "invalid value for 'content': expected a string or an array of parts"};
    }
    for (const auto part : parts) {
        simdjson::dom::object part_fields;
        if (part.get(part_fields) != simdjson::SUCCESS) {
            continue;
        }
        if (const auto text = text_field(part_fields, "text")) {
            prompt.add(*text);
        }
    }
}

/// Adds a message to the prompt; tells whether it is the result of a tool.
bool add_message(simdjson::dom::element message, prompt_reader& prompt) {
    simdjson::dom::object fields;
    if (message.get(fields) != simdjson::SUCCESS) {
        throw request_error{400, "invalid value for 'messages': expected objects"};
    }
    const auto role = text_field(fields, "role");
    if (!role) {
        throw request_error{400, "invalid value for 'messages': a role is missing"};
    }
    simdjson::dom::element content;
    if (fields["content"].get(content) == simdjson::SUCCESS) {
        add_content(content, prompt);
    }
    return *role == "tool";
}

std::optional<std::uint32_t> token_limit(simdjson::dom::object root) {
    auto limit = whole_field(root, "max_completion_tokens");
    if (!limit) {
        limit = whole_field(root, "max_tokens");
    }
    if (!limit) {
        return std::nullopt;
    }
    if (*limit < 1) {
        throw request_error{400, "invalid value for 'max_tokens': must be at least 1"};
    }
    return static_cast<std::uint32_t>(std::min<std::int64_t>(*limit, std::numeric_limits<int>::max()));
}

/// What both endpoints have in common, besides the prompt.
openai_identity read_common(simdjson::dom::object root, const options& o, generation_request& request) {
    openai_identity identity;
    identity.model = text_field(root, "model").value_or("");
    require_model(o, identity.model);
    request.runner = {std::string(identity.model), -1, o.num_ctx};
    request.stream = bool_field(root, "stream").value_or(false);
    if (const auto stream_options = json_field<simdjson::dom::object>(root, "stream_options", "an object")) {
        identity.with_usage = bool_field(*stream_options, "include_usage").value_or(false);
    }
    for (const auto* name : {"temperature", "top_p", "frequency_penalty", "presence_penalty"}) {
        json_field<double>(root, name, "a number");
    }
    if (whole_field(root, "n").value_or(1) != 1) {
        throw request_error{400, "'n' must be 1: one choice is served"};
    }
    return identity;
}

std::uint64_t seed_of(simdjson::dom::object root) {
    return static_cast<std::uint64_t>(whole_field(root, "seed").value_or(0));
}

/// `prompt` of a text completion: a string, or an array of one.
std::string_view prompt_text(simdjson::dom::object root) {
    simdjson::dom::element prompt;
    if (root["prompt"].get(prompt) != simdjson::SUCCESS || prompt.is_null()) {
        throw request_error{400, "'prompt' is missing"};
    }
    simdjson::dom::array list;
    if (prompt.get(list) == simdjson::SUCCESS && list.size() == 1) {
        prompt = *list.begin();
    }
    if (!prompt.is_string()) {
        throw request_error{400, "invalid value for 'prompt': expected a string, or an array of one string"};
    }
    return prompt.get_string().value();
}

nlohmann::ordered_json model_object(const std::string& name) {
    return {{"id", name}, {"object", "model"}, {"created", 1763078400}, {"owned_by", "library"}};
}

/// Undoes percent-encoding; what is not one stays as it is.
std::string decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
            result += static_cast<char>(value);
            i += 2;
        } else {
            result += text[i];
        }
    }
    return result;
}

} // namespace

generation_request parse_openai_chat(const std::string& body, const options& o, simdjson::dom::parser& parser,
                                     std::uint64_t serial, std::int64_t created) {
    const auto root = parse_body(parser, body);
    generation_request request;
    auto identity = read_common(root, o, request);
    identity.serial = serial;
    identity.created = created;

    const auto messages = json_field<simdjson::dom::array>(root, "messages", "an array");
    if (!messages || messages->size() == 0) {
        throw request_error{400, "'messages' is missing or empty"};
    }
    prompt_reader prompt(o);
    auto tools = read_tools(root, true, prompt);
    for (const auto message : *messages) {
        tools.has_results = add_message(message, prompt);
    }
    const auto seed = seed_of(root);
    const auto call = choose_call(tools, mix(o.seed) ^ mix(seed + 1));
    std::optional<std::uint32_t> call_tokens;
    if (call) {
        call_tokens = static_cast<std::uint32_t>(pieces_of(call->arguments).size() + 1);
        request.calls_tool = true;
    }
    prompt.finish(request, seed, o.reasoning_tokens, token_limit(root), call_tokens);
    request.format = make_openai_chat_format(identity, call);
    return request;
}

generation_request parse_openai_text(const std::string& body, const options& o, simdjson::dom::parser& parser,
                                     std::uint64_t serial, std::int64_t created) {
    const auto root = parse_body(parser, body);
    generation_request request;
    auto identity = read_common(root, o, request);
    identity.serial = serial;
    identity.created = created;
    if (bool_field(root, "echo").value_or(false)) {
        throw request_error{400, "'echo' is not served"};
    }
    prompt_reader prompt(o);
    prompt.add(prompt_text(root));
    prompt.finish(request, seed_of(root), 0, token_limit(root));
    request.format = make_openai_text_format(identity);
    return request;
}

std::string openai_models(const options& o) {
    auto models = nlohmann::ordered_json::array();
    for (const auto& name : listed_models(o)) {
        models.push_back(model_object(name));
    }
    return nlohmann::ordered_json{{"object", "list"}, {"data", models}}.dump();
}

std::string openai_model(const options& o, std::string_view id) {
    const auto name = decoded(id);
    require_model(o, name);
    return model_object(served_name(o, name).value_or(name))
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace chimera::sim
