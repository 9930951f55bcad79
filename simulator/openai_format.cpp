#include "openai_format.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace chimera::sim {
namespace {

/// What chat and text completions have in common: server-sent events, objects that begin alike, usage.
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

} // namespace

std::unique_ptr<reply_format> make_openai_chat_format(const openai_identity& identity,
                                                      const std::optional<tool_call>& call) {
    return std::make_unique<chat_format>(identity, call);
}

std::unique_ptr<reply_format> make_openai_text_format(const openai_identity& identity) {
    return std::make_unique<text_format>(identity);
}

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

} // namespace chimera::sim
