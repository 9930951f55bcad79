#include "provenance/server_answers.hpp"

#include "process/secrets.hpp"
#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace chimera::host {
namespace {

using nlohmann::json;
using text = std::optional<std::string>;

constexpr std::string_view ollama_version = "/api/version", ollama_tags = "/api/tags", openai_models = "/v1/models",
                           vllm_version = "/version", llama_cpp_props = "/props";
/// In this order: what one answers decides whether the next is asked.
constexpr std::array paths{ollama_version, ollama_tags, openai_models, vllm_version, llama_cpp_props};

constexpr std::size_t longest_text = 200;

/// A server's own text, fit to be kept: one line, not too long, without secrets. Nothing where there is none.
text text_at(const json& object, const char* key) {
    if (!object.is_object()) return std::nullopt;
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    std::string out = found->get<std::string>();
    redact(out); // first: a secret that was cut in the middle would not be found
    out = excerpt(trimmed(out), longest_text);
    return out.empty() ? std::nullopt : text(out);
}

void set_if_told(text& to, text told) {
    if (told) to = std::move(told);
}

/// "gemma3" is "gemma3:latest" to Ollama.
bool same_model(std::string_view asked, std::string_view listed) {
    return asked == listed || (asked.find(':') == std::string_view::npos && listed.starts_with(asked) &&
                               listed.substr(asked.size()) == ":latest");
}

/// 4299915632: "4.3B".
std::string in_billions(double parameters) { return fmt::format("{:.3g}B", parameters / 1e9); }

/// One entry of /api/tags, or of /v1/models.
void read_model(model_identity& m, const json& entry) {
    const auto part = [&entry](const char* key) { return entry.value(key, json()); };
    set_if_told(m.digest, text_at(entry, "digest"));
    set_if_told(m.parameter_size, text_at(part("details"), "parameter_size"));
    set_if_told(m.quantization, text_at(part("details"), "quantization_level"));
    const json meta = part("meta"); // llama.cpp
    if (const auto n = meta.find("n_params"); meta.is_object() && n != meta.end() && n->is_number())
        m.parameter_size = in_billions(n->get<double>());
}

std::string_view software_of_owner(std::string_view owner) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> known{
        {{"vllm", "vLLM"}, {"llamacpp", "llama.cpp"}, {"sglang", "SGLang"}}};
    for (const auto& [name, software] : known)
        if (owner == name) return software;
    return {};
}

void read_models(server_identity& server, const json& list) {
    if (!list.is_array()) return;
    for (const json& entry : list) {
        if (!entry.is_object()) continue;
        if (const std::string_view software = software_of_owner(text_at(entry, "owned_by").value_or(""));
            !software.empty() && !server.software)
            server.software = software;
        for (model_identity& m : server.models)
            for (const char* key : {"name", "model", "id"})
                if (const text listed = text_at(entry, key); listed && same_model(m.name, *listed)) {
                    read_model(m, entry);
                    break;
                }
    }
    // llama.cpp serves its one model under any name.
    if (server.software == "llama.cpp" && list.size() == 1 && list[0].is_object())
        for (model_identity& m : server.models) read_model(m, list[0]);
}

/// Nothing where it is not a list.
std::optional<std::vector<std::string>> names_of(const json& list) {
    if (!list.is_array()) return std::nullopt;
    std::vector<std::string> out;
    for (const json& entry : list)
        for (const char* key : {"name", "model", "id"})
            if (text name = text_at(entry, key)) {
                out.push_back(std::move(*name));
                break;
            }
    return out;
}

} // namespace

server_answers::server_answers(llm_api api, std::string url, const std::vector<std::string>& models) : api_(api) {
    identity_.url = std::move(url);
    for (const std::string& name : models) identity_.models.push_back({name, {}, {}, {}});
}

bool server_answers::worth_asking(std::string_view path) const {
    const bool is_ollama_like = identity_.software.has_value() && identity_.version.has_value();
    if (path == ollama_tags) return is_ollama(api_) || is_ollama_like;
    if (path == llama_cpp_props) return !identity_.version && identity_.software == "llama.cpp";
    if (path == openai_models) return !is_ollama(api_) && !is_ollama_like;
    if (path == vllm_version) return !is_ollama(api_) && !identity_.version;
    return true;
}

std::optional<std::string_view> server_answers::next() {
    while (asked_ < paths.size()) {
        path_ = paths.at(asked_++);
        if (worth_asking(path_)) return path_;
    }
    return std::nullopt;
}

std::optional<bool> server_answers::has(std::string_view model) const {
    if (!offered_) return std::nullopt;
    if (identity_.software == "llama.cpp" && offered_->size() == 1) return true;
    return std::ranges::any_of(*offered_, [model](const std::string& name) { return same_model(model, name); });
}

void server_answers::take(std::string_view body) {
    const json answer = json::parse(body, nullptr, false);
    if (!answer.is_object()) return;
    if (path_ == ollama_version) {
        set_if_told(identity_.version, text_at(answer, "version"));
        if (identity_.version) identity_.software = "Ollama";
        if (const text simulator = text_at(answer, "chimera_sim")) {
            identity_.software = "chimera-sim";
            identity_.version = simulator;
        }
    } else if (path_ == ollama_tags) {
        read_models(identity_, answer.value("models", json()));
        offered_ = names_of(answer.value("models", json()));
    } else if (path_ == openai_models) {
        read_models(identity_, answer.value("data", json()));
        offered_ = names_of(answer.value("data", json()));
    } else if (path_ == vllm_version) {
        set_if_told(identity_.version, text_at(answer, "version"));
    } else if (path_ == llama_cpp_props) {
        set_if_told(identity_.version, text_at(answer, "build_info"));
    }
}

} // namespace chimera::host
