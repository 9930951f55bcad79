#include "protocol/request_body.hpp"

#include <nlohmann/json.hpp>

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

} // namespace

request_body build_ollama_generate(const generate_request& request) {
    ordered_json body;
    body["model"] = request.model;
    body["prompt"] = request.prompt;
    if (request.system) body["system"] = *request.system;
    body["stream"] = true;
    if (!request.options.empty()) {
        ordered_json& options = body["options"];
        for (const auto& option : request.options) options[option.key] = to_json(option);
    }
    return {"/api/generate", dump(body), {}};
}

request_body build_openai_chat(const generate_request& request) {
    ordered_json body;
    body["model"] = request.model;
    body["messages"] = ordered_json::array();
    if (request.system) body["messages"].push_back({{"role", "system"}, {"content", *request.system}});
    body["messages"].push_back({{"role", "user"}, {"content", request.prompt}});
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
    std::vector<std::string> ignored;
    for (const auto& option : request.options) {
        if (option.key == "temperature" || option.key == "top_p" || option.key == "seed") {
            body[option.key] = to_json(option);
        } else if (option.key == "num_predict") {
            if (!is_negative(option)) body["max_tokens"] = to_json(option);
        } else {
            ignored.push_back(option.key);
        }
    }
    return {"/v1/chat/completions", dump(body), std::move(ignored)};
}

request_body build_request(llm_api api, const generate_request& request) {
    return api == llm_api::ollama ? build_ollama_generate(request) : build_openai_chat(request);
}

} // namespace chimera::host
