#include "ollama_format.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pacing.hpp"

namespace chimera::sim {
namespace {

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

    /// The fields that hold what a reply says. `answer` is a text in JSON form, or the list of a reply's calls.
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
    std::size_t call_tokens_ = 0; ///< 0: the reply is no call
};

} // namespace

std::unique_ptr<reply_format> make_ollama_format(ollama_endpoint endpoint, std::string_view model, bool with_context,
                                                 std::string_view only_reason, const std::optional<tool_call>& call) {
    return std::make_unique<ollama_format>(endpoint, model, with_context, only_reason, call);
}

std::string ollama_error(std::string_view message) {
    return nlohmann::json{{"error", message}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace chimera::sim
