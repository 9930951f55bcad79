#include "ollama.hpp"

#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "generation_request.hpp"
#include "pacing.hpp"
#include "reply_format.hpp"

namespace chimera::sim {

namespace {

/// Which of Ollama's two endpoints a reply belongs to: text stands in `response`, or in `message`.
enum class ollama_endpoint { generate, chat };

/// `with_context`: the final record of /api/generate has the `context` array. `only_reason`: the reply says no more
/// than that (`load`, `unload`); empty for others. `call`: the reply is this call, and its tokens are its pieces.
class ollama_format final : public reply_format {
  public:
    ollama_format(ollama_endpoint endpoint, std::string_view model, bool with_context, std::string_view only_reason,
                  const std::optional<tool_call>& call)
        : chat_(endpoint == ollama_endpoint::chat), model_(nlohmann::json(model).dump()),
          with_context_(with_context && !chat_), only_reason_(only_reason) {
        if (chat_) {
            reasoning = record(R"("message":{"role":"assistant","content":"","thinking":")", R"("})");
            content = record(R"("message":{"role":"assistant","content":")", R"("})");
        } else {
            reasoning = record(R"("response":"","thinking":")", R"(")");
            content = record(R"("response":")", R"(")");
        }
        if (call) {
            // A call comes whole, with the last of its tokens: the others have no text and are not sent.
            call_tokens_ = pieces_of(call->arguments).size() + 1;
            std::vector<std::string> texts(call_tokens_);
            texts.back() = fmt::format(R"([{{"function":{{"name":{},"arguments":{}}}}}])", call->name, call->arguments);
            content = record(R"("message":{"role":"assistant","content":"","tool_calls":)", "}");
            content.use_texts(std::move(texts));
        }
    }

    std::string_view stream_type() const override { return "application/x-ndjson"; }

    std::vector<std::string> closing(const reply_totals& totals, std::int64_t t_ns, wall_clock& clock) override {
        return {final_record(totals, "", "", t_ns, clock) + "\n"};
    }

    std::string whole(const reply_totals& totals, std::span<const token_id> tokens, std::int64_t t_ns,
                      wall_clock& clock) override {
        return final_record(totals, thought_of(totals, tokens), answer_of(totals, tokens), t_ns, clock);
    }

    std::string error_body(int, std::string_view message) const override { return ollama_error(message); }
    std::string as_record(std::string_view json) const override { return std::string(json) + "\n"; }

    std::string oversized_record(std::size_t bytes) const override {
        return fmt::format("{{\"model\":{},{},\"done\":false}}\n", model_, said("", std::string(bytes, 'x')));
    }

  private:
    token_record record(std::string_view before_token, std::string_view after_token) const {
        auto before = fmt::format(R"({{"model":{},"created_at":")", model_);
        const auto created_at = before.size();
        before.append(wall_clock::text_size, '0').append(R"(",)").append(before_token);
        return {std::move(before), created_at, std::string(after_token) + R"(,"done":false,"t_ns":)", "}\n"};
    }

    /// The fields with the text of a reply. `answer` is a text in JSON form, or the list of a reply's calls.
    std::string said(std::string_view thought, std::string_view answer) const {
        const auto thinking = thought.empty() ? std::string() : fmt::format(R"(,"thinking":"{}")", thought);
        if (!chat_) {
            return fmt::format(R"("response":"{}"{})", answer, thinking);
        }
        if (call_tokens_ > 0 && !answer.empty()) {
            return fmt::format(R"("message":{{"role":"assistant","content":""{},"tool_calls":{}}})", thinking, answer);
        }
        return fmt::format(R"("message":{{"role":"assistant","content":"{}"{}}})", answer, thinking);
    }

    std::string final_record(const reply_totals& totals, std::string_view thought, std::string_view answer,
                             std::int64_t t_ns, wall_clock& clock) const {
        std::string created(wall_clock::text_size, '0');
        clock.format(t_ns, created.data());
        auto record =
            fmt::format(R"({{"model":{},"created_at":"{}",{},"done":true,"done_reason":"{}")", model_, created,
                        said(thought, answer), only_reason_.empty() ? finish_reason(totals, "stop") : only_reason_);
        if (only_reason_.empty()) {
            if (with_context_) {
                record += fmt::format(R"(,"context":[{}])", context_of(totals));
            }
            record += fmt::format(R"(,"total_duration":{},"load_duration":{},"prompt_eval_count":{})", totals.total,
                                  totals.load, totals.prompt_tokens);
            record += fmt::format(R"(,"prompt_eval_duration":{},"eval_count":{},"eval_duration":{})",
                                  totals.prompt_eval, totals.tokens, totals.eval);
        }
        return record + fmt::format(R"(,"t_ns":{}}})", t_ns);
    }

    /// Token numbers as a model would give them back: one for each token of prompt and reply.
    static std::string context_of(const reply_totals& totals) {
        std::string list;
        for (std::uint32_t i = 0; i < totals.prompt_tokens + totals.tokens; ++i) {
            list += fmt::format("{}{}", i == 0 ? "" : ",", mix(i) % 262144);
        }
        return list;
    }

    bool chat_;
    std::string model_;
    bool with_context_;
    std::string_view only_reason_;
    std::size_t call_tokens_ = 0; ///< 0: the reply is not a call
};

/// The fields that /api/generate and /api/chat share.
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
    request.format =
        std::make_unique<ollama_format>(endpoint, model, false, request.unload ? "unload" : "load", std::nullopt);
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

using nlohmann::ordered_json;

constexpr std::int64_t model_bytes = 3'338'801'804;
constexpr std::int64_t keep_alive_ns = 300'000'000'000;

ordered_json details() {
    return {{"parent_model", ""},     {"format", "gguf"},         {"family", "gemma3"},
            {"families", {"gemma3"}}, {"parameter_size", "4.3B"}, {"quantization_level", "Q4_K_M"}};
}

std::string digest(const std::string& name) {
    return fmt::format("{:016x}{:016x}{:016x}{:016x}", mix(hash_text(name)), mix(hash_text(name, 1)),
                       mix(hash_text(name, 2)), mix(hash_text(name, 3)));
}

} // namespace

std::string ollama_error(std::string_view message) {
    return nlohmann::json{{"error", message}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

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
    request.format =
        std::make_unique<ollama_format>(ollama_endpoint::generate, fields.model, o.context, "", std::nullopt);
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
    request.format = std::make_unique<ollama_format>(ollama_endpoint::chat, fields.model, false, "", call);
    return request;
}

std::string ollama_tags(const options& o) {
    auto models = ordered_json::array();
    for (const auto& name : listed_models(o)) {
        models.push_back({{"name", name},
                          {"model", name},
                          {"modified_at", "2025-11-14T00:00:00Z"},
                          {"size", model_bytes},
                          {"digest", digest(name)},
                          {"details", details()}});
    }
    return ordered_json{{"models", models}}.dump();
}

std::string ollama_version() {
    // Clients look for Ollama's member only; the other one says that this is not Ollama.
    return R"({"version":"0.12.6","chimera_sim":")" CHIMERA_SIM_VERSION R"("})";
}

std::string ollama_running(const options& o, const runner_key& loaded, std::int64_t now, wall_clock& clock) {
    auto models = ordered_json::array();
    if (!loaded.model.empty()) {
        const auto name = served_name(o, loaded.model).value_or(loaded.model);
        std::string expires(wall_clock::text_size, '0');
        clock.format(now + keep_alive_ns, expires.data());
        models.push_back({{"name", name},
                          {"model", name},
                          {"size", model_bytes},
                          {"digest", digest(name)},
                          {"details", details()},
                          {"expires_at", expires},
                          {"size_vram", model_bytes},
                          {"context_length", loaded.num_ctx}});
    }
    return ordered_json{{"models", models}}.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string ollama_show(const std::string& body, const options& o, simdjson::dom::parser& parser) {
    const auto root = parse_body(parser, body);
    const auto model = text_field(root, "model").value_or(text_field(root, "name").value_or(""));
    require_model(o, model);
    ordered_json capabilities{"completion", "tools"};
    if (o.reasoning_tokens > 0) {
        capabilities.emplace_back("thinking");
    }
    return ordered_json{
        {"modelfile", fmt::format("FROM {}\n", model)},
        {"parameters", fmt::format("num_ctx {}", o.num_ctx)},
        {"template", "{{ .Prompt }}"},
        {"details", details()},
        {"model_info",
         {{"general.architecture", "gemma3"},
          {"general.parameter_count", 4'299'915'632},
          {"gemma3.block_count", o.layers},
          {"gemma3.context_length", 131072}}},
        {"capabilities", capabilities},
        {"modified_at", "2025-11-14T00:00:00Z"},
    }
        .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace chimera::sim
