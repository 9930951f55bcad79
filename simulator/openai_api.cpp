#include "openai_api.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_fields.hpp"
#include "prompt.hpp"

namespace chimera::sim {
namespace {

class openai_format final : public reply_format {
  public:
    openai_format(std::string_view model, bool with_usage, std::uint64_t serial, std::int64_t created)
        : with_usage_(with_usage), id_(fmt::format("chatcmpl-{:08x}", serial)), model_(nlohmann::json(model).dump()),
          created_(created) {
        content = token(R"("content")");
        reasoning = token(R"("reasoning_content")");
    }

    std::string_view stream_type() const override { return "text/event-stream"; }

    std::string opening(std::int64_t t_ns) override {
        return chunk(R"("delta":{"role":"assistant","content":""},"finish_reason":null)", t_ns);
    }

    std::vector<std::string> closing(const reply_totals& totals, std::int64_t t_ns, wall_clock&) override {
        std::vector<std::string> records{
            chunk(fmt::format(R"("delta":{{}},"finish_reason":"{}")", reason(totals)), t_ns)};
        if (with_usage_) {
            records.push_back(fmt::format("data: {}\"choices\":[],\"usage\":{},\"t_ns\":{}}}\n\n",
                                          beginning("chat.completion.chunk"), usage(totals), t_ns));
        }
        records.emplace_back("data: [DONE]\n\n");
        return records;
    }

    std::string whole(const reply_totals& totals, std::span<const token_id> tokens, std::int64_t t_ns,
                      wall_clock&) override {
        std::string thought;
        std::string text;
        for (const auto id : tokens.first(totals.reasoning_tokens)) {
            thought += token_json(id);
        }
        for (const auto id : tokens.subspan(totals.reasoning_tokens)) {
            text += token_json(id);
        }
        if (!thought.empty()) {
            thought = fmt::format(R"("reasoning_content":"{}",)", thought);
        }
        return fmt::format(
            R"({}"choices":[{{"index":0,"message":{{"role":"assistant",{}"content":"{}"}},"finish_reason":"{}"}}],)"
            R"("usage":{},"t_ns":{}}})",
            beginning("chat.completion"), thought, text, reason(totals), usage(totals), t_ns);
    }

    std::string error_body(int status, std::string_view message) const override {
        return openai_error(status, message);
    }
    std::string as_record(std::string_view json) const override { return fmt::format("data: {}\n\n", json); }

    std::string oversized_record(std::size_t bytes) const override {
        return chunk(fmt::format(R"("delta":{{"content":"{}"}},"finish_reason":null)", std::string(bytes, 'x')), 0);
    }

  private:
    /// Every object of this reply up to where its choices begin.
    std::string beginning(std::string_view object) const {
        return fmt::format(R"({{"id":"{}","object":"{}","created":{},"model":{},"system_fingerprint":"fp_chimera",)",
                           id_, object, created_, model_);
    }

    std::string usage_null() const { return with_usage_ ? R"(,"usage":null)" : ""; }

    std::string chunk(std::string_view choice, std::int64_t t_ns) const {
        return fmt::format("data: {}\"choices\":[{{\"index\":0,{}}}]{},\"t_ns\":{}}}\n\n",
                           beginning("chat.completion.chunk"), choice, usage_null(), t_ns);
    }

    token_record token(std::string_view field) const {
        return {
            fmt::format(R"(data: {}"choices":[{{"index":0,"delta":{{{}:")", beginning("chat.completion.chunk"), field),
            std::string::npos, fmt::format(R"("}},"finish_reason":null}}]{},"t_ns":)", usage_null()), "}\n\n"};
    }

    static std::string_view reason(const reply_totals& totals) { return totals.capped ? "length" : "stop"; }

    static std::string usage(const reply_totals& totals) {
        return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                           R"("completion_tokens_details":{{"reasoning_tokens":{}}}}})",
                           totals.prompt_tokens, totals.tokens, totals.prompt_tokens + totals.tokens,
                           totals.reasoning_tokens);
    }

    bool with_usage_;
    std::string id_;
    std::string model_;
    std::int64_t created_;
};

/// Adds a message's content: a string, or parts of which those with text count.
void add_message(simdjson::dom::element message, prompt_reader& prompt) {
    simdjson::dom::object fields;
    if (message.get(fields) != simdjson::SUCCESS) {
        throw request_error{400, "invalid value for 'messages': expected objects"};
    }
    if (!text_field(fields, "role")) {
        throw request_error{400, "invalid value for 'messages': a role is missing"};
    }
    simdjson::dom::element content;
    if (fields["content"].get(content) != simdjson::SUCCESS || content.is_null()) {
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

} // namespace

generation_request parse_openai_chat(const std::string& body, const options& o, simdjson::dom::parser& parser,
                                     std::uint64_t serial, std::int64_t created) {
    const auto root = parse_body(parser, body);
    generation_request request;
    const auto model = text_field(root, "model").value_or("");
    require_model(o, model);
    request.runner = {std::string(model), -1, o.num_ctx};
    request.stream = bool_field(root, "stream").value_or(false);

    const auto messages = json_field<simdjson::dom::array>(root, "messages", "an array");
    if (!messages || messages->size() == 0) {
        throw request_error{400, "'messages' is missing or empty"};
    }
    prompt_reader prompt(o);
    for (const auto message : *messages) {
        add_message(message, prompt);
    }

    bool with_usage = false;
    if (const auto stream_options = json_field<simdjson::dom::object>(root, "stream_options", "an object")) {
        with_usage = bool_field(*stream_options, "include_usage").value_or(false);
    }
    for (const auto* name : {"temperature", "top_p", "frequency_penalty", "presence_penalty"}) {
        json_field<double>(root, name, "a number");
    }
    if (whole_field(root, "n").value_or(1) != 1) {
        throw request_error{400, "'n' must be 1: one choice is served"};
    }
    const auto seed = static_cast<std::uint64_t>(whole_field(root, "seed").value_or(0));
    prompt.finish(request, seed, o.reasoning_tokens, token_limit(root));
    request.format = std::make_unique<openai_format>(model, with_usage, serial, created);
    return request;
}

std::string openai_error(int status, std::string_view message) {
    const auto* type = status == 429 ? "rate_limit_exceeded" : status >= 500 ? "server_error" : "invalid_request_error";
    return nlohmann::ordered_json{
        {"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", nullptr}}}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string openai_models(const options& o) {
    auto models = nlohmann::ordered_json::array();
    for (const auto& name : o.models.empty() ? std::vector<std::string>{"gemma3:latest"} : o.models) {
        models.push_back({{"id", name}, {"object", "model"}, {"created", 1763078400}, {"owned_by", "library"}});
    }
    return nlohmann::ordered_json{{"object", "list"}, {"data", models}}.dump();
}

} // namespace chimera::sim
