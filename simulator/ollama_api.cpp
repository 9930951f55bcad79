#include "ollama_api.hpp"

#include <limits>

#include <fmt/format.h>

#include "json_fields.hpp"
#include "ollama_format.hpp"
#include "pacing.hpp"
#include "prompt.hpp"

namespace chimera::sim {
namespace {

/// What /api/generate and /api/chat have in common.
struct common_fields {
    std::string_view model;
    std::uint64_t seed = 0;
    std::optional<std::uint32_t> limit;
    std::uint32_t reasoning_tokens = 0;
};

/// As the real server: a model that can think does, unless it is told not to; another one may not be asked to.
std::uint32_t read_think(simdjson::dom::object root, const options& o, std::string_view model) {
    simdjson::dom::element think;
    if (root["think"].get(think) != simdjson::SUCCESS || think.is_null()) {
        return o.reasoning_tokens;
    }
    if (!think.is_bool() && !think.is_string()) {
        throw request_error{400, "invalid value for 'think': expected true, false or a level"};
    }
    if (think.is_bool() && !think.get_bool().value()) {
        return 0;
    }
    if (o.reasoning_tokens == 0) {
        throw request_error{400, fmt::format("\"{}\" does not support thinking", model)};
    }
    return o.reasoning_tokens;
}

common_fields read_common(simdjson::dom::object root, const options& o, generation_request& request) {
    common_fields fields;
    fields.model = text_field(root, "model").value_or("");
    require_model(o, fields.model);
    request.runner = {std::string(fields.model), -1, o.num_ctx};
    request.stream = bool_field(root, "stream").value_or(true);
    fields.reasoning_tokens = read_think(root, o, fields.model);

    if (const auto given = json_field<simdjson::dom::object>(root, "options", "an object")) {
        fields.seed = static_cast<std::uint64_t>(whole_field(*given, "seed").value_or(0));
        request.runner.num_gpu = std::max<std::int64_t>(whole_field(*given, "num_gpu").value_or(-1), -1);
        const auto num_ctx = whole_field(*given, "num_ctx").value_or(o.num_ctx);
        if (num_ctx < 1 || num_ctx > 100'000'000) {
            throw request_error{400, fmt::format("invalid value for 'num_ctx': {}", num_ctx)};
        }
        request.runner.num_ctx = static_cast<std::uint32_t>(num_ctx);
        const auto num_predict = whole_field(*given, "num_predict").value_or(-1);
        if (num_predict > 0) {
            fields.limit =
                static_cast<std::uint32_t>(std::min<std::int64_t>(num_predict, std::numeric_limits<int>::max()));
        }
        for (const auto* name : {"temperature", "top_p", "top_k", "repeat_penalty"}) {
            json_field<double>(*given, name, "a number");
        }
    }
    return fields;
}

/// A request that says nothing only loads the model, or unloads it where `keep_alive` is 0.
generation_request load_only(generation_request request, simdjson::dom::object root, ollama_endpoint endpoint,
                             std::string_view model) {
    simdjson::dom::element keep_alive;
    const bool named = root["keep_alive"].get(keep_alive) == simdjson::SUCCESS;
    request.unload = named && ((keep_alive.is_int64() && keep_alive.get_int64().value() == 0) ||
                               (keep_alive.is_string() && keep_alive.get_string().value() == "0"));
    request.format = make_ollama_format(endpoint, model, false, request.unload ? "unload" : "load", {});
    return request;
}

/// Adds a message's content to the prompt; tells whether it is the result of a tool.
bool read_message(simdjson::dom::element message, prompt_reader& prompt) {
    simdjson::dom::object fields;
    if (message.get(fields) != simdjson::SUCCESS) {
        throw request_error{400, "invalid value for 'messages': expected objects"};
    }
    prompt.add(text_field(fields, "content").value_or(""));
    return text_field(fields, "role").value_or("") == "tool";
}

} // namespace

generation_request parse_ollama_generate(const std::string& body, const options& o, simdjson::dom::parser& parser) {
    const auto root = parse_body(parser, body);
    generation_request request;
    const auto fields = read_common(root, o, request);
    prompt_reader prompt(o);
    if (const auto system = text_field(root, "system")) {
        prompt.add(*system);
    }
    const auto text = text_field(root, "prompt").value_or("");
    if (text.empty()) {
        return load_only(std::move(request), root, ollama_endpoint::generate, fields.model);
    }
    prompt.add(text);
    prompt.finish(request, fields.seed, fields.reasoning_tokens, fields.limit);
    request.format = make_ollama_format(ollama_endpoint::generate, fields.model, o.context, "", {});
    return request;
}

generation_request parse_ollama_chat(const std::string& body, const options& o, simdjson::dom::parser& parser) {
    const auto root = parse_body(parser, body);
    generation_request request;
    const auto fields = read_common(root, o, request);
    const auto messages = json_field<simdjson::dom::array>(root, "messages", "an array");
    if (!messages || messages->size() == 0) {
        return load_only(std::move(request), root, ollama_endpoint::chat, fields.model);
    }
    prompt_reader prompt(o);
    auto tools = read_tools(root, false, prompt);
    for (const auto message : *messages) {
        tools.has_results = read_message(message, prompt);
    }
    const auto call = choose_call(tools, mix(o.seed) ^ mix(fields.seed + 1));
    std::optional<std::uint32_t> call_tokens;
    if (call) {
        call_tokens = static_cast<std::uint32_t>(pieces_of(call->arguments).size() + 1);
        request.calls_tool = true;
        request.call_in_one_record = true;
    }
    prompt.finish(request, fields.seed, fields.reasoning_tokens, fields.limit, call_tokens);
    request.format = make_ollama_format(ollama_endpoint::chat, fields.model, false, "", call);
    return request;
}

} // namespace chimera::sim
