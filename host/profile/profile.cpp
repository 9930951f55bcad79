#include "profile/profile.hpp"

#include "profile/profile_keys.hpp"
#include "profile/reading.hpp"
#include "protocol/excerpt.hpp"
#include "simulator/option_table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace chimera::host {

namespace {

using json = nlohmann::ordered_json;
/// A basic string of TOML, with its quotes. Escapes characters that could act on a terminal or are invisible.
std::string toml_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const first_character c(text);
        text.remove_prefix(c.bytes.size());
        if (c.code == '"' || c.code == '\\')
            out += '\\';
        else if (c.is_utf8 && !c.is_plain) {
            const auto code = static_cast<std::uint32_t>(c.code);
            out += code > 0xFFFF ? fmt::format("\\U{:08X}", code) : fmt::format("\\u{:04X}", code);
            continue;
        }
        out += c.bytes;
    }
    return out + '"';
}

std::string toml_of(const json& value) {
    if (value.is_string()) return toml_string(value.get_ref<const std::string&>());
    if (!value.is_structured()) return value.dump();
    std::string out;
    for (const auto& [key, item] : value.items()) {
        if (!out.empty()) out += ", ";
        if (value.is_object()) out += toml_string(key) + " = ";
        out += toml_of(item);
    }
    return value.is_array() ? '[' + out + ']' : "{ " + out + " }";
}

/// An inline table that is read back as the same members: { "X-Team" = "a" }. as_json: the values are JSON.
std::string inline_toml(const std::vector<named_text>& members, bool as_json) {
    std::string out;
    for (const named_text& m : members) {
        out += (out.empty() ? "" : ", ") + toml_string(m.name) + " = ";
        out += as_json && !m.text.empty() ? toml_of(json::parse(m.text)) : toml_string(m.text);
    }
    return "{ " + out + " }";
}

/// The template from which agents_from() and deal_urls() make exactly the profile's agents; nothing if there is none,
/// or only one agent.
std::optional<agent_spec> template_of(const profile& p) {
    const auto& agents = p.workload.agents;
    if (agents.size() < 2) return std::nullopt;
    auto one = agents.front();
    for (auto* name : {&one.id, &one.label}) {
        if (!name->ends_with("_1")) return std::nullopt;
        name->resize(name->size() - 2);
    }
    for (const std::string& url : {one.url, std::string()}) { // its own, or one of backend.urls
        one.url = url;
        auto made = agents_from(one, static_cast<int>(agents.size()));
        deal_urls(made, p.backend.urls);
        if (made == agents) return one;
    }
    return std::nullopt;
}

/// A canonical value as TOML.
std::string literal(std::uint32_t type, const std::string& text) {
    if (type == CHM_OPT_STRING || type == CHM_OPT_ENUM) return toml_string(text);
    const bool looks_whole = text.find_first_of(".e") == std::string::npos;
    return type == CHM_OPT_FLOAT && looks_whole ? text + ".0" : text;
}

class writer {
  public:
    explicit writer(profile p) : p_(std::move(p)) {}

    std::string write() {
        std::string table;
        for (const auto& key : profile_keys()) {
            const std::string_view path = key.option.name;
            const auto dot = path.rfind('.');
            const auto in = dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
            if (in != table) {
                if (table.empty()) plugins();
                if (table == "workload") agents();
                if (table == "backend.simulator") simulator();
                table = in;
                if (applies(key.scope)) header(table);
            }
            line(key, p_, path.substr(dot + 1)); // npos + 1 is 0
        }
        return out_;
    }

  private:
    void header(std::string_view table) { out_ += fmt::format("\n[{}]\n", table); }

    bool applies(key_scope scope) const {
        if (scope == key_scope::simulator) return p_.needs_simulator();
        if (scope == key_scope::alerts) return p_.alerts.any();
        return lack_of(scope, p_.workload.kind, p_.coordinator.has_value()).empty();
    }

    template <class T>
    void line(const profile_key<T>& key, T& from, std::string_view name) {
        if (!applies(key.scope)) return;
        const auto field = key.field(from);
        if (const auto* items = std::get_if<std::vector<std::string>*>(&field)) {
            list(name, key.option.type, **items);
        } else if (const auto* table = std::get_if<std::vector<named_text>*>(&field)) {
            if (!(*table)->empty()) out_ += fmt::format("{} = {}\n", name, inline_toml(**table, name == "body"));
        } else if (const auto text = fetch(field, key.option)) {
            out_ += fmt::format("{} = {}\n", name, literal(key.option.type, *text));
        }
    }

    void list(std::string_view name, std::uint32_t type, const std::vector<std::string>& items) {
        out_ += fmt::format("{} = [", name);
        for (const auto& item : items) out_ += (&item == items.data() ? "" : ", ") + literal(type, item);
        out_ += "]\n";
    }

    void plugins() {
        plugin("executor", p_.executor);
        if (p_.foreign) plugin("foreign", *p_.foreign);
        if (p_.workload.kind != workload_kind::coordination) plugin("transport", p_.transport);
        if (p_.coordinator) plugin("coordinator", *p_.coordinator);
    }

    void plugin(const std::string& table, plugin_choice& choice) {
        header(table);
        for (const auto& key : plugin_keys()) line(key, choice, key.option.name);
        if (choice.options.empty()) return;
        header(table + ".options");
        options(choice.options);
    }

    void options(std::span<const option_value> values) {
        for (const auto& value : values) out_ += fmt::format("{} = {}\n", value.key, literal(value.type, value.value));
    }

    void simulator() {
        if (!p_.needs_simulator()) return;
        const auto single = std::min(sim::option_table().size(), p_.backend.simulator.size());
        options(std::span(p_.backend.simulator).first(single));
        for (const auto& option : sim::repeatable_option_table()) {
            std::vector<std::string> items;
            for (const auto& value : std::span(p_.backend.simulator).subspan(single))
                if (value.key == option.name) items.push_back(value.value);
            if (!items.empty()) list(option.name, option.type, items);
        }
    }

    void agents() {
        if (auto one = template_of(p_)) {
            auto count = static_cast<int>(p_.workload.agents.size());
            header("workload.agents");
            line(agent_count_key(), count, agent_count_key().option.name);
            header("workload.agents.template");
            for (const auto& key : agent_keys()) line(key, *one, key.option.name);
            return;
        }
        for (auto& agent : p_.workload.agents) {
            out_ += "\n[[workload.agents]]\n";
            for (const auto& key : agent_keys()) line(key, agent, key.option.name);
        }
    }

    profile p_; // a copy, because the table of keys gives pointers to non-const
    std::string out_;
};

} // namespace

bool profile::operator==(const profile& other) const {
    return name == other.name && description == other.description && executor == other.executor &&
           foreign == other.foreign && transport == other.transport && coordinator == other.coordinator &&
           backend == other.backend && workload == other.workload && measure == other.measure && alerts == other.alerts;
}

std::string_view name_of(decision_class c) noexcept {
    static constexpr std::array<std::string_view, decision_classes> names{"low", "medium", "high", "critical"};
    return names[static_cast<std::size_t>(c)];
}

bool alert_spec::any() const {
    for (const auto& limit :
         {ttft_p95_ms, ttft_p99_ms, itl_p99_ms, e2e_p95_ms, client_delay_p99_ms, error_rate_pct, efficiency_min_pct,
          throughput_min_tok_s, peak_memory_max_mib, memory_growth_max_mib_per_h})
        if (limit) return true;
    return false;
}

bool profile::needs_simulator() const {
    if (workload.kind == workload_kind::coordination) return false;
    for (const auto& agent : workload.agents)
        if (agent.url.empty()) return true;
    return false;
}

std::string to_toml(const profile& p) { return writer(p).write(); }

std::string config_hash(const profile& p) {
    auto content = p;
    content.description.clear();
    content.alerts = {};
    content.measure.runs = content.measure.warmup = 0;
    return fmt::format("{:016x}", fnv1a(to_toml(content)));
}

// ---- names

namespace {

/// "_gpu80", or "_gpu80-100" if the agents differ; empty if no agent has a value.
template <class Number>
std::string part(const std::vector<const server_options*>& tuned, const char* name,
                 std::optional<Number> server_options::*member) {
    std::vector<std::string> values;
    for (const auto* options : tuned) {
        const auto& value = options->*member;
        if (!value) continue;
        auto text = fmt::format("{}", *value);
        if (std::find(values.begin(), values.end(), text) == values.end()) values.push_back(std::move(text));
    }
    constexpr std::size_t most = 3; // a longer name is hard to read
    std::string out;
    for (std::size_t i = 0; i < std::min(values.size(), most); ++i)
        out += (i == 0 ? "_" : "-") + (i == 0 ? name + values[i] : values[i]);
    return values.size() > most ? out + "-etc" : out;
}

} // namespace

std::string config_name(const profile& p) {
    std::vector<server_options> options;
    for (const auto& agent : p.workload.agents) options.push_back(agent.options);
    return config_name(options);
}

std::string config_name(const std::vector<server_options>& agents) {
    std::vector<const server_options*> tuned;
    for (const auto& options : agents)
        if (options != server_options{}) tuned.push_back(&options);
    if (tuned.empty()) return agents.size() == 1 ? "single_baseline" : "baseline";
    const bool alike = std::all_of(tuned.begin(), tuned.end(), [&](const auto* o) { return *o == *tuned.front(); });
    std::string name = agents.size() == 1             ? "single"
                       : tuned.size() < agents.size() ? "baseline_vs_chimera"
                       : alike                        ? "chimera_homo"
                                                      : "chimera_hetero";
    name += part(tuned, "gpu", &server_options::num_gpu);
    name += part(tuned, "ctx", &server_options::num_ctx);
    // All two-agent configurations of the reports have the temperature 1.0, and their names do not mention it.
    const bool usual =
        std::all_of(tuned.begin(), tuned.end(), [](const auto* o) { return o->temperature.value_or(1.0) == 1.0; });
    if (!usual) name += part(tuned, "temp", &server_options::temperature);
    return name;
}

} // namespace chimera::host
