#include "openai.hpp"

#include <charconv>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "generation_request.hpp"
#include "pacing.hpp"

namespace chimera::sim {

namespace {

/// The values that all objects of a reply share.
struct openai_identity {
    std::string_view model;
    std::uint64_t serial = 0; ///< makes the reply's id
    std::int64_t created = 0; ///< time of the request, seconds since 1970
    bool with_usage = false;  ///< stream_options.include_usage
};

/// Shared by chat and text completions: server-sent events, the beginning of each object, usage.
class openai_format : public reply_format {
  public:
    openai_format(const openai_identity& identity, std::string_view id_prefix, std::string_view chunk_object)
        : with_usage_(identity.with_usage), id_(fmt::format("{}-{:08x}", id_prefix, identity.serial)),
          model_(nlohmann::json(identity.model).dump()), created_(identity.created), chunk_object_(chunk_object) {}

    std::string_view stream_type() const override { return "text/event-stream"; }

    std::vector<std::string> closing(const reply_totals& totals, std::int64_t t_ns, wall_clock&) override {
        std::vector<std::string> records{chunk(last_choice(totals), t_ns)};
        if (with_usage_) {
            records.push_back(fmt::format("data: {}\"choices\":[],\"usage\":{},\"t_ns\":{}}}\n\n",
                                          beginning(chunk_object_), usage(totals), t_ns));
        }
        records.emplace_back("data: [DONE]\n\n");
        return records;
    }

    std::string error_body(int status, std::string_view message) const override {
        return openai_error(status, message);
    }
    std::string as_record(std::string_view json) const override { return fmt::format("data: {}\n\n", json); }
    std::string keep_alive() const override { return ": keep-alive\n\n"; }

  protected:
    /// The choice of the last chunk that has one, without `index`.
    virtual std::string last_choice(const reply_totals& totals) const = 0;

    /// Every object of this reply up to where its choices begin.
    std::string beginning(std::string_view object) const {
        return fmt::format(R"({{"id":"{}","object":"{}","created":{},"model":{},"system_fingerprint":"fp_chimera",)",
                           id_, object, created_, model_);
    }

    std::string chunk(std::string_view choice, std::int64_t t_ns) const {
        return fmt::format("data: {}\"choices\":[{{\"index\":0,{}}}]{},\"t_ns\":{}}}\n\n", beginning(chunk_object_),
                           choice, usage_null(), t_ns);
    }

    token_record token(std::string_view before, std::string_view after) const {
        return {fmt::format(R"(data: {}"choices":[{{"index":0,{})", beginning(chunk_object_), before),
                std::string::npos, fmt::format(R"({}}}]{},"t_ns":)", after, usage_null()), "}\n\n"};
    }

    static std::string usage(const reply_totals& totals) {
        return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                           R"("completion_tokens_details":{{"reasoning_tokens":{}}}}})",
                           totals.prompt_tokens, totals.tokens, totals.prompt_tokens + totals.tokens,
                           totals.reasoning_tokens);
    }

    /// One body with one choice, which is given without `index`.
    std::string body(std::string_view object, std::string_view choice, const reply_totals& totals,
                     std::int64_t t_ns) const {
        return fmt::format(R"({}"choices":[{{"index":0,{}}}],"usage":{},"t_ns":{}}})", beginning(object), choice,
                           usage(totals), t_ns);
    }

    const std::string& id() const { return id_; }

  private:
    std::string usage_null() const { return with_usage_ ? R"(,"usage":null)" : ""; }

    bool with_usage_;
    std::string id_;
    std::string model_;
    std::int64_t created_;
    std::string_view chunk_object_;
};

/// The text as it stands between the quotes of a JSON string.
std::string in_quotes(std::string_view text) {
    const auto quoted = nlohmann::json(text).dump();
    return quoted.substr(1, quoted.size() - 2);
}

/// Reply of POST /v1/chat/completions. `call`: the reply is this call. Its tokens are the pieces of the call, and the
/// first piece is the name.
class chat_format final : public openai_format {
  public:
    chat_format(const openai_identity& identity, const std::optional<tool_call>& call)
        : openai_format(identity, "chatcmpl", "chat.completion.chunk"), calls_(call.has_value()) {
        constexpr std::string_view after = R"("},"finish_reason":null)";
        content = token(R"("delta":{"content":")", after);
        reasoning = token(R"("delta":{"reasoning_content":")", after);
        if (call) {
            call_head_ = fmt::format(R"("id":"call_{}","type":"function","function":{{"name":{},"arguments":")",
                                     id().substr(id().find('-') + 1), call->name);
            std::vector<std::string> texts{call_head_};
            for (const auto& piece : pieces_of(call->arguments)) {
                texts.push_back(R"("function":{"arguments":")" + in_quotes(piece));
            }
            content = token(R"("delta":{"tool_calls":[{"index":0,)", R"("}}]},"finish_reason":null)");
            content.use_texts(std::move(texts));
        }
    }

    std::string opening(std::int64_t t_ns) override {
        return chunk(fmt::format(R"("delta":{{"role":"assistant","content":{}}},"finish_reason":null)",
                                 calls_ ? "null" : "\"\""),
                     t_ns);
    }

    std::string whole(const reply_totals& totals, std::span<const token_id> tokens, std::int64_t t_ns,
                      wall_clock&) override {
        auto thought = thought_of(totals, tokens);
        if (!thought.empty()) {
            thought = fmt::format(R"("reasoning_content":"{}",)", thought);
        }
        return body("chat.completion",
                    fmt::format(R"("message":{{"role":"assistant",{}{}}},"finish_reason":"{}")", thought,
                                calls_ ? called(tokens.subspan(totals.reasoning_tokens))
                                       : fmt::format(R"("content":"{}")", answer_of(totals, tokens)),
                                reason(totals)),
                    totals, t_ns);
    }

    std::string oversized_record(std::size_t bytes) const override {
        return chunk(fmt::format(R"("delta":{{"content":"{}"}},"finish_reason":null)", std::string(bytes, 'x')), 0);
    }

  private:
    std::string last_choice(const reply_totals& totals) const override {
        return fmt::format(R"("delta":{{}},"finish_reason":"{}")", reason(totals));
    }

    /// The call as far as its tokens go: a limit cuts its arguments short.
    std::string called(std::span<const token_id> tokens) const {
        if (tokens.empty()) {
            return R"("content":null)";
        }
        constexpr std::string_view before_piece = R"("function":{"arguments":")";
        std::string arguments;
        for (const auto each : tokens.subspan(1)) {
            arguments += content.text_of(each).substr(before_piece.size());
        }
        return fmt::format(R"("content":null,"tool_calls":[{{{}{}"}}}}])", call_head_, arguments);
    }

    std::string_view reason(const reply_totals& totals) const {
        return finish_reason(totals, calls_ ? "tool_calls" : "stop");
    }

    bool calls_;
    std::string call_head_;
};

/// Reply of POST /v1/completions.
class text_format final : public openai_format {
  public:
    explicit text_format(const openai_identity& identity) : openai_format(identity, "cmpl", "text_completion") {
        content = token(R"("text":")", R"(","logprobs":null,"finish_reason":null)");
        reasoning = content;
    }

    std::string whole(const reply_totals& totals, std::span<const token_id> tokens, std::int64_t t_ns,
                      wall_clock&) override {
        return body("text_completion", choice(answer_of(totals, tokens), totals), totals, t_ns);
    }

    std::string oversized_record(std::size_t bytes) const override {
        return chunk(fmt::format(R"("text":"{}","logprobs":null,"finish_reason":null)", std::string(bytes, 'x')), 0);
    }

  private:
    std::string last_choice(const reply_totals& totals) const override { return choice("", totals); }

    static std::string choice(std::string_view text, const reply_totals& totals) {
        return fmt::format(R"("text":"{}","logprobs":null,"finish_reason":"{}")", text, finish_reason(totals, "stop"));
    }
};

/// Adds a content to the prompt: a string, or the texts of its parts.
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

/// Reads the fields that both endpoints share, except for the prompt.
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

/// Decodes percent-encoding. A '%' without two hexadecimal digits stays.
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

std::string openai_error(int status, std::string_view message) {
    const auto* type = status == 429 ? "requests" : status >= 500 ? "server_error" : "invalid_request_error";
    nlohmann::ordered_json code;
    if (status == 429) {
        code = "rate_limit_exceeded";
    } else if (status == 404) {
        code = message.starts_with("model ") ? "model_not_found" : "unknown_url";
    }
    return nlohmann::ordered_json{{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

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
    request.format = std::make_unique<chat_format>(identity, call);
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
    request.format = std::make_unique<text_format>(identity);
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
