#include "ollama_api.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_fields.hpp"
#include "pacing.hpp"
#include "prompt.hpp"

namespace chimera::sim {
namespace {

std::string quoted(std::string_view text) { return nlohmann::json(text).dump(); }

class ollama_format final : public reply_format {
  public:
    ollama_format(std::string_view model, bool with_context, std::string_view only_reason)
        : model_(quoted(model)), with_context_(with_context), only_reason_(only_reason) {
        auto before = fmt::format(R"({{"model":{},"created_at":")", model_);
        const auto created_at = before.size();
        before.append(wall_clock::text_size, '0').append(R"(","response":")");
        content = token_record(std::move(before), created_at, R"(","done":false,"t_ns":)", "}\n");
    }

    std::string_view stream_type() const override { return "application/x-ndjson"; }

    std::vector<std::string> closing(const reply_totals& totals, std::int64_t t_ns, wall_clock& clock) override {
        return {final_record(totals, "", t_ns, clock) + "\n"};
    }

    std::string whole(const reply_totals& totals, std::span<const token_id> tokens, std::int64_t t_ns,
                      wall_clock& clock) override {
        std::string text;
        for (const auto token : tokens) {
            text += token_json(token);
        }
        return final_record(totals, text, t_ns, clock);
    }

    std::string error_body(int, std::string_view message) const override { return ollama_error(message); }
    std::string as_record(std::string_view json) const override { return std::string(json) + "\n"; }

    std::string oversized_record(std::size_t bytes) const override {
        return fmt::format("{{\"model\":{},\"response\":\"{}\",\"done\":false}}\n", model_, std::string(bytes, 'x'));
    }

  private:
    std::string final_record(const reply_totals& totals, std::string_view text, std::int64_t t_ns,
                             wall_clock& clock) const {
        std::string created(wall_clock::text_size, '0');
        clock.format(t_ns, created.data());
        auto record = fmt::format(R"({{"model":{},"created_at":"{}","response":"{}","done":true,"done_reason":"{}")",
                                  model_, created, text,
                                  !only_reason_.empty() ? only_reason_
                                  : totals.capped       ? "length"
                                                        : "stop");
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

    std::string model_;
    bool with_context_;
    std::string_view only_reason_;
};

} // namespace

generation_request parse_ollama_generate(const std::string& body, const options& o, simdjson::dom::parser& parser) {
    const auto root = parse_body(parser, body);
    generation_request request;
    const auto model = text_field(root, "model").value_or("");
    require_model(o, model);
    request.runner = {std::string(model), -1, o.num_ctx};
    request.stream = bool_field(root, "stream").value_or(true);

    std::uint64_t seed = 0;
    std::optional<std::uint32_t> limit;
    if (const auto given = json_field<simdjson::dom::object>(root, "options", "an object")) {
        seed = static_cast<std::uint64_t>(whole_field(*given, "seed").value_or(0));
        request.runner.num_gpu = std::max<std::int64_t>(whole_field(*given, "num_gpu").value_or(-1), -1);
        const auto num_ctx = whole_field(*given, "num_ctx").value_or(o.num_ctx);
        if (num_ctx < 1 || num_ctx > 100'000'000) {
            throw request_error{400, fmt::format("invalid value for 'num_ctx': {}", num_ctx)};
        }
        request.runner.num_ctx = static_cast<std::uint32_t>(num_ctx);
        const auto num_predict = whole_field(*given, "num_predict").value_or(-1);
        if (num_predict > 0) {
            limit = static_cast<std::uint32_t>(std::min<std::int64_t>(num_predict, std::numeric_limits<int>::max()));
        }
        for (const auto* name : {"temperature", "top_p", "top_k", "repeat_penalty"}) {
            json_field<double>(*given, name, "a number");
        }
    }
    prompt_reader prompt(o);
    if (const auto system = text_field(root, "system")) {
        prompt.add(*system);
    }
    const auto text = text_field(root, "prompt").value_or("");
    if (text.empty()) {
        simdjson::dom::element keep_alive;
        const bool named = root["keep_alive"].get(keep_alive) == simdjson::SUCCESS;
        request.unload = named && ((keep_alive.is_int64() && keep_alive.get_int64().value() == 0) ||
                                   (keep_alive.is_string() && keep_alive.get_string().value() == "0"));
        request.format = std::make_unique<ollama_format>(model, false, request.unload ? "unload" : "load");
        return request;
    }
    prompt.add(text);
    prompt.finish(request, seed, 0, limit);
    request.format = std::make_unique<ollama_format>(model, o.context, "");
    return request;
}

std::string ollama_error(std::string_view message) {
    return nlohmann::json{{"error", message}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string ollama_tags(const options& o) {
    auto models = nlohmann::ordered_json::array();
    for (const auto& name : o.models.empty() ? std::vector<std::string>{"gemma3:latest"} : o.models) {
        models.push_back(
            {{"name", name},
             {"model", name},
             {"modified_at", "2025-11-14T00:00:00Z"},
             {"size", 3338801804},
             {"digest", fmt::format("{:016x}{:016x}{:016x}{:016x}", mix(hash_text(name)), mix(hash_text(name, 1)),
                                    mix(hash_text(name, 2)), mix(hash_text(name, 3)))},
             {"details",
              {{"format", "gguf"},
               {"family", "gemma3"},
               {"families", {"gemma3"}},
               {"parameter_size", "4.3B"},
               {"quantization_level", "Q4_K_M"}}}});
    }
    return nlohmann::ordered_json{{"models", models}}.dump();
}

std::string ollama_version() { return R"({"version":"0.12.6"})"; }

} // namespace chimera::sim
