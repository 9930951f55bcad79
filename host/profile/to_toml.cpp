#include "profile/counted_agents.hpp"
#include "profile/fnv1a.hpp"
#include "profile/free_table.hpp"
#include "profile/profile_keys.hpp"
#include "simulator/option_table.hpp"
#include <fmt/format.h>

namespace chimera::host {

namespace {

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
        switch (scope) {
        case key_scope::report_workload:
            return p_.workload.kind == workload_kind::report;
        case key_scope::calls_workload:
            return p_.workload.kind == workload_kind::calls;
        case key_scope::simulator:
            return p_.needs_simulator();
        case key_scope::alerts:
            return p_.alerts.any();
        default:
            return true;
        }
    }

    template <class T>
    void line(const profile_key<T>& key, T& from, std::string_view name) {
        if (!applies(key.scope)) return;
        const auto field = key.field(from);
        if (const auto* items = std::get_if<std::vector<std::string>*>(&field)) {
            list(name, key.option.type, **items);
        } else if (const auto* table = std::get_if<std::vector<named_text>*>(&field)) {
            const auto values = name == "body" ? free_values::json : free_values::texts;
            if (!(*table)->empty()) out_ += fmt::format("{} = {}\n", name, inline_toml(**table, values));
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
        plugin("transport", p_.transport);
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

    profile p_; // a copy: the table of keys gives access for writing
    std::string out_;
};

} // namespace

bool profile::operator==(const profile& other) const {
    return name == other.name && description == other.description && executor == other.executor &&
           foreign == other.foreign && transport == other.transport && backend == other.backend &&
           workload == other.workload && measure == other.measure && alerts == other.alerts;
}

bool alert_spec::any() const {
    for (const auto& limit :
         {ttft_p95_ms, ttft_p99_ms, itl_p99_ms, e2e_p95_ms, client_delay_p99_ms, error_rate_pct, efficiency_min_pct})
        if (limit) return true;
    return false;
}

bool profile::needs_simulator() const {
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

} // namespace chimera::host
