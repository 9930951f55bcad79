// What Ollama's clients ask besides replies.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_fields.hpp"
#include "ollama_api.hpp"
#include "pacing.hpp"
#include "prompt.hpp"
#include "timestamp.hpp"

namespace chimera::sim {
namespace {

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
