#include "protocol/llm_api.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace chimera::host {

namespace {

using nlohmann::ordered_json;

ordered_json to_json(const model_option& option) {
    return std::visit([](const auto& value) { return ordered_json(value); }, option.value);
}

std::string dump(const ordered_json& body) { return body.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

bool is_negative(const model_option& option) {
    if (const auto* whole = std::get_if<std::int64_t>(&option.value)) return *whole < 0;
    return false;
}

ordered_json messages_of(const generate_request& request) {
    ordered_json messages = ordered_json::array();
    if (request.system) messages.push_back({{"role", "system"}, {"content", *request.system}});
    messages.push_back({{"role", "user"}, {"content", request.prompt}});
    return messages;
}

ordered_json ollama_body(bool chat, const generate_request& request) {
    ordered_json body;
    body["model"] = request.model;
    if (chat) {
        body["messages"] = messages_of(request);
    } else {
        body["prompt"] = request.prompt;
        if (request.system) body["system"] = *request.system;
    }
    body["stream"] = true;
    if (!request.options.empty()) {
        ordered_json& options = body["options"];
        for (const auto& option : request.options) options[option.key] = to_json(option);
    }
    return body;
}

ordered_json openai_body(bool chat, const generate_request& request, std::vector<std::string>& ignored) {
    ordered_json body;
    body["model"] = request.model;
    if (chat)
        body["messages"] = messages_of(request);
    else
        body["prompt"] = request.system ? *request.system + "\n\n" + request.prompt : request.prompt;
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
    for (const auto& option : request.options) {
        if (option.key == "temperature" || option.key == "top_p" || option.key == "seed") {
            body[option.key] = to_json(option);
        } else if (option.key == "num_predict") {
            if (!is_negative(option)) body["max_tokens"] = to_json(option);
        } else {
            ignored.push_back(option.key);
        }
    }
    return body;
}

void apply(const body_edit& edit, ordered_json& body) {
    ordered_json* object = &body;
    std::string_view key = edit.key;
    for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
        const std::string step(key.substr(0, dot));
        key.remove_prefix(dot + 1);
        if (edit.json.empty() && !object->contains(step)) return;
        object = &(*object)[step];
        if (edit.json.empty() && !object->is_object()) return;
        if (!object->is_object()) *object = ordered_json::object();
    }
    if (edit.json.empty()) {
        object->erase(std::string(key));
        return;
    }
    ordered_json value = ordered_json::parse(edit.json, nullptr, false);
    if (value.is_discarded())
        throw std::invalid_argument(fmt::format("the value for '{}' in the request's body is not JSON", edit.key));
    (*object)[std::string(key)] = std::move(value);
}

bool is_word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool names(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !is_word_character(text[at - 1])) && (end == text.size() || !is_word_character(text[end])))
            return true;
    }
    return false;
}

} // namespace

request_body build_request(llm_api api, const generate_request& request) {
    request_body built{path_of(api), {}, {}};
    ordered_json body = is_ollama(api) ? ollama_body(api == llm_api::ollama_chat, request)
                                       : openai_body(api == llm_api::openai, request, built.ignored_options);
    for (const body_edit& edit : request.edits) apply(edit, body);
    built.json = dump(body);
    return built;
}

std::vector<std::string> fields_named_in(std::string_view error_text, std::string_view sent) {
    constexpr std::array<std::string_view, 4> needed{"model", "messages", "prompt", "stream"};
    std::vector<std::string> found;
    const auto body = ordered_json::parse(sent, nullptr, false);
    if (!body.is_object()) return found;
    for (const auto& field : body.items())
        if (std::ranges::find(needed, field.key()) == needed.end() && names(error_text, field.key()))
            found.push_back(field.key());
    return found;
}

} // namespace chimera::host
