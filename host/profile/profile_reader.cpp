#include "process/messages.hpp"
#include "process/secrets.hpp"
#include "profile/profile_keys.hpp"
#include "profile/reading.hpp"
#include "protocol/excerpt.hpp"
#include "simulator/option_table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace chimera::host {

namespace {

using json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* simulator_table = "backend.simulator";
const std::vector<std::string> plugin_tables = {"executor", "foreign", "transport", "coordinator"};

/// The full paths of all keys. "workload.agents[]" is the table of an agent: an element of the list, or the template. A
/// table whose keys are defined by a plugin or the simulator counts as one key.
std::vector<std::string> all_keys() {
    std::vector<std::string> keys = {simulator_table};
    for (const auto& key : profile_keys()) keys.emplace_back(key.option.name);
    for (const auto& table : plugin_tables) {
        for (const auto& key : plugin_keys()) keys.push_back(table + '.' + key.option.name);
        keys.push_back(table + ".options");
    }
    for (const auto& key : agent_keys()) keys.push_back(std::string("workload.agents[].") + key.option.name);
    keys.push_back(std::string("workload.agents.") + agent_count_key().option.name);
    return keys;
}

bool starts_with_step(std::string_view path, std::string_view prefix) {
    return path.size() > prefix.size() && path.starts_with(prefix) &&
           (path[prefix.size()] == '.' || path[prefix.size()] == '[');
}

/// Reads a table whose keys are the user's own: [backend.headers], whose values are strings, and [backend.body], whose
/// values become JSON and whose nested tables make dotted keys. An empty string stays an empty text, which means: do
/// not send this one.
class free_table_reader {
  public:
    free_table_reader(bool as_json, std::vector<std::string>* faults) : as_json_(as_json), faults_(faults) {}

    void read(const node& table, const std::string& path, const std::string& prefix) {
        for (const auto& m : std::get<node::table>(table.value)) {
            const std::string shown = path + '.' + m.key, name = prefix + m.key;
            const auto* text = std::get_if<std::string>(&m.value.value);
            if (names_a_secret(m.key) && (!as_json_ || text != nullptr))
                fault(m.at, shown,
                      as_json_ ? std::string(no_secret)
                               : fmt::format("{}; to send the key in this header, set backend.key_header = \"{}\"",
                                             no_secret, m.key));
            else if (as_json_ && m.value.is_table())
                read(m.value, shown, name + '.');
            else if (text != nullptr && text->empty())
                out.push_back({name, {}});
            else if (as_json_)
                out.push_back({name, json_of(m.value, shown).dump()});
            else if (text != nullptr || m.value.raw)
                out.push_back({name, text != nullptr ? *text : *m.value.raw});
            else
                fault(m.at, shown, fmt::format("is {}; give a string", kind_of(m.value)));
        }
    }

    std::vector<named_text> out;

  private:
    void fault(const origin& at, const std::string& key, const std::string& what) {
        faults_->push_back(fault_at(at, key, what));
    }

    json json_of(const node& value, const std::string& path) {
        if (const auto* items = std::get_if<node::list>(&value.value)) {
            json list = json::array();
            for (const node& item : *items) list.push_back(json_of(item, path));
            return list;
        }
        if (const auto* members = std::get_if<node::table>(&value.value)) {
            json object = json::object();
            for (const member& m : *members) object[m.key] = json_of(m.value, path + '.' + m.key);
            return object;
        }
        if (const auto* flag = std::get_if<bool>(&value.value)) return *flag;
        if (const auto* whole = std::get_if<std::int64_t>(&value.value)) return *whole;
        if (const auto* number = std::get_if<double>(&value.value)) {
            if (std::isfinite(*number)) return *number;
            fault(value.at, path, "is not a finite number, and JSON has only finite ones");
            return nullptr;
        }
        if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
        fault(value.at, path, "is a date, and JSON has no dates; give a string");
        return nullptr;
    }

    const bool as_json_;
    std::vector<std::string>* faults_;
};

/// path: the name of the table, for messages. Appends faults.
std::vector<named_text> read_free_table(const node& table, bool as_json, const std::string& path,
                                        std::vector<std::string>* faults) {
    if (!table.is_table()) {
        faults->push_back(fault_at(
            table.at, path,
            fmt::format("is {}; give a table: {} = {{ ... }}", kind_of(table), path.substr(path.rfind('.') + 1))));
        return {};
    }
    free_table_reader reader(as_json, faults);
    reader.read(table, path, {});
    return std::move(reader.out);
}

class reader {
  public:
    reader(node& root, const std::string& file, const fs::path& folder, const schema_lookup& lookup,
           std::vector<std::string>* faults)
        : root_(root), file_(file), folder_(folder), lookup_(lookup), faults_(faults) {}

    profile read() {
        if (!check_shape(root_, {}, {})) throw profile_error(*faults_); // a document of a wrong shape cannot be read
        drop_what_has_no_meaning();
        profile p;
        for (const auto& key : profile_keys()) read_key(key, p, {});
        read_plugins(p);
        for (const auto& path : agent_paths_) {
            p.workload.agents.emplace_back();
            for (const auto& key : agent_keys()) read_key(key, p.workload.agents.back(), path);
        }
        if (agents_are_counted(root_)) {
            int count = 1; // if the given one is wrong
            read_key(agent_count_key(), count, "workload.agents");
            p.workload.agents = agents_from(p.workload.agents.front(), count);
        }
        if (simulator_needed_) read_simulator(p.backend);
        return p;
    }

  private:
    void fault(const origin& at, const std::string& key, const std::string& what) {
        faults_->push_back(fault_at(at, key, what));
    }

    /// Finds unknown keys, and values in place of tables. known: the path in all_keys(); shown: the path for messages.
    bool check_shape(const node& at, const std::string& known, const std::string& shown) {
        static const auto keys = all_keys();
        if (const auto* items = std::get_if<node::list>(&at.value); items != nullptr && known == "workload.agents") {
            bool good = true;
            for (std::size_t i = 0; i < items->size(); ++i)
                good = check_shape((*items)[i], known + "[]", fmt::format("{}.{}", shown, i)) && good;
            return good;
        }
        if (known == "workload.agents" && agents_are_counted(root_)) return check_counted(at, shown);
        if (!at.is_table() || known == "workload.agents") {
            const auto name = shown.substr(shown.rfind('.') + 1);
            const std::string wanted =
                known == "workload.agents" ? "an array of tables: [[workload.agents]], or a count and a template"
                : known.ends_with("[]") && name != "template" ? "a table for each agent: [[workload.agents]]"
                                                              : "a table: " + name + " = { ... }";
            fault(at.at, shown, fmt::format("is {}; give {}", kind_of(at), wanted));
            return false;
        }
        bool good = true;
        for (const auto& m : std::get<node::table>(at.value)) {
            const auto path = known.empty() ? m.key : known + '.' + m.key;
            const auto name = shown.empty() ? m.key : shown + '.' + m.key;
            if (std::find(keys.begin(), keys.end(), path) != keys.end()) continue;
            if (std::any_of(keys.begin(), keys.end(), [&](const auto& k) { return starts_with_step(k, path); })) {
                good = check_shape(m.value, path, name) && good;
            } else if (names_a_secret(m.key)) {
                fault(m.at, name, std::string(no_secret));
            } else {
                fault(m.at, name, "unknown key; " + suggest(m.key, siblings(keys, known)));
            }
        }
        return good;
    }

    bool check_counted(const node& agents, const std::string& shown) {
        for (const auto& m : std::get<node::table>(agents.value))
            if (m.key != "count" && m.key != "template")
                fault(m.at, shown + '.' + m.key, "unknown key; known: \"count\", \"template\"");
        const auto* one = agents.find("template");
        if (one != nullptr) return check_shape(*one, "workload.agents[]", shown + ".template");
        fault(agents.at, shown + ".template", "is missing; give the common keys of the agents: template = { ... }");
        return false;
    }

    /// The known keys of the table at a path.
    static std::vector<std::string> siblings(const std::vector<std::string>& keys, const std::string& path) {
        std::vector<std::string> steps;
        for (const auto& key : keys) {
            if (!path.empty() && !key.starts_with(path + '.')) continue;
            const auto rest = path.empty() ? key : key.substr(path.size() + 1);
            auto step = rest.substr(0, rest.find_first_of(".["));
            if (std::find(steps.begin(), steps.end(), step) == steps.end()) steps.push_back(std::move(step));
        }
        return steps;
    }

    /// Erases keys of another kind of workload, and the simulator's keys if no agent needs a simulator. They are
    /// faults, unless they stand in the file and the command line made them useless.
    void drop_what_has_no_meaning() {
        const auto* kind = node_at(root_, "workload.kind");
        const auto* word = kind == nullptr ? nullptr : std::get_if<std::string>(&kind->value);
        kind_ = word == nullptr || *word == "report" ? workload_kind::report
                : *word == "calls"                   ? workload_kind::calls
                : *word == "coordination"            ? workload_kind::coordination
                                                     : workload_kind::report; // read_key names the mistake
        const bool kind_changed = kind != nullptr && !kind->at.from_file;

        const auto* urls = node_at(root_, "backend.urls");
        const auto* list = urls == nullptr ? nullptr : std::get_if<node::list>(&urls->value);
        agent_paths_ = agent_paths(root_);
        const auto url_of = [this](const std::string& agent) { return node_at(root_, agent + ".url"); };
        simulator_needed_ =
            kind_ != workload_kind::coordination && (urls == nullptr || (list != nullptr && list->empty())) &&
            (agent_paths_.empty() || std::any_of(agent_paths_.begin(), agent_paths_.end(),
                                                 [&](const auto& agent) { return url_of(agent) == nullptr; }));

        if (kind_ == workload_kind::calls) drop_table("coordinator", "report\" or \"coordination", kind_changed);
        if (kind_ == workload_kind::coordination) {
            drop_table("transport", "report\" or \"calls", kind_changed);
            drop_table("backend", "report\" or \"calls", kind_changed);
        }
        for (const auto& key : profile_keys()) drop(key, {}, kind_changed);
        for (const auto& agent : agent_paths_)
            for (const auto& key : agent_keys()) drop(key, agent, kind_changed);
        const auto* simulator = node_at(root_, simulator_table);
        if (!simulator_needed_ && simulator != nullptr) {
            const bool changed = (urls != nullptr && !urls->at.from_file) ||
                                 std::any_of(agent_paths_.begin(), agent_paths_.end(), [&](const auto& agent) {
                                     return url_of(agent) != nullptr && !url_of(agent)->at.from_file;
                                 });
            if (!simulator->at.from_file || !changed)
                fault(simulator->at, simulator_table,
                      "every agent has a URL, so no simulator is started; leave out this table or the URLs");
            erase(simulator_table);
        }
    }

    template <class T>
    void drop(const profile_key<T>& key, const std::string& table, bool kind_changed) {
        const auto path = table.empty() ? key.option.name : table + '.' + key.option.name;
        const auto* present = node_at(root_, path);
        if (present == nullptr) return;
        const std::string lack = lack_of(key.scope, kind_, root_.find("coordinator") != nullptr);
        if (lack.empty()) return;
        if (!present->at.from_file || !kind_changed) fault(present->at, path, lack + "; leave it out");
        erase(path);
    }

    void drop_table(const char* name, const char* kinds, bool kind_changed) {
        const auto* present = root_.find(name);
        if (present == nullptr) return;
        if (!present->at.from_file || !kind_changed)
            fault(present->at, name, fmt::format("needs workload.kind = \"{}\"; leave it out", kinds));
        erase(name);
    }

    void erase(const std::string& path) {
        const auto dot = path.rfind('.');
        auto* table = dot == std::string::npos ? &root_ : const_cast<node*>(node_at(root_, path.substr(0, dot)));
        std::erase_if(std::get<node::table>(table->value),
                      [&](const member& m) { return m.key == path.substr(dot + 1); });
    }

    /// Reads the key of this table into `into`, or its default.
    template <class T>
    void read_key(const profile_key<T>& key, T& into, const std::string& table) {
        if (key.scope == key_scope::simulator && !simulator_needed_) return;
        const auto& option = key.option;
        const auto path = table.empty() ? option.name : table + '.' + option.name;
        const auto field = key.field(into);
        const auto* given = node_at(root_, path);
        if (given == nullptr) {
            if (option.default_value != nullptr) {
                if (const auto value = check_text(option, option.default_value); !value.text.empty())
                    store(field, option, value.text);
            } else if (key.required) {
                const auto* parent = node_at(root_, table);
                fault(parent == nullptr ? origin{file_, true} : parent->at, path,
                      fmt::format("is missing; give it ({})", option.help));
            }
        } else if (std::holds_alternative<std::vector<std::string>*>(field)) {
            read_list(*given, option, path, field);
        } else if (const auto* members = std::get_if<std::vector<named_text>*>(&field)) {
            **members = read_free_table(*given, path == "backend.body", path, faults_);
        } else if (const auto value = check_node(option, *given); !value.fault.empty()) {
            fault(given->at, path, value.fault);
        } else if (auto* file = std::get_if<fs::path*>(&field); file != nullptr && !value.text.empty()) {
            **file = absolute_from(*given, value.text);
        } else {
            store(field, option, value.text);
        }
    }

    void read_list(const node& given, const chm_option& option, const std::string& path, const key_field& field) {
        const auto* items = std::get_if<node::list>(&given.value);
        if (items == nullptr && !given.raw) {
            fault(given.at, path, fmt::format("is {}; give an array", kind_of(given)));
            return;
        }
        const node::list one = {given};
        for (const auto& item : items == nullptr ? one : *items) {
            const auto value = check_node(option, item);
            if (value.fault.empty()) {
                store(field, option, value.text);
            } else {
                fault(item.at, path, value.fault);
            }
        }
    }

    fs::path absolute_from(const node& given, const std::string& path) const {
        return ((given.at.from_file ? folder_ : fs::current_path()) / path).lexically_normal();
    }

    void read_plugins(profile& p) {
        p.executor = read_choice("executor");
        if (root_.find("foreign") != nullptr) p.foreign = read_choice("foreign");
        if (kind_ != workload_kind::coordination) p.transport = read_choice("transport");
        if (kind_ == workload_kind::coordination || root_.find("coordinator") != nullptr)
            p.coordinator = read_choice("coordinator");
        if (lookup_.expect) {
            std::vector<std::string> named;
            for (const plugin_choice& choice : {p.executor, p.foreign.value_or(plugin_choice{}), p.transport,
                                                p.coordinator.value_or(plugin_choice{})})
                if (!choice.plugin.empty()) named.push_back(choice.plugin);
            lookup_.expect(named, folder_);
        }
        read_options(plugin_kind::executor, "executor", p.executor);
        if (p.foreign) read_options(plugin_kind::executor, "foreign", *p.foreign);
        read_options(plugin_kind::transport, "transport", p.transport);
        if (p.coordinator) read_options(plugin_kind::coordinator, "coordinator", *p.coordinator);
    }

    plugin_choice read_choice(const std::string& table) {
        plugin_choice choice;
        for (const auto& key : plugin_keys()) read_key(key, choice, table);
        if (choice.plugin.find('/') != std::string::npos || choice.plugin.ends_with(".so"))
            choice.plugin = absolute_from(*node_at(root_, table + ".plugin"), choice.plugin);
        return choice;
    }

    void read_options(plugin_kind kind, const std::string& table, plugin_choice& choice) {
        if (choice.plugin.empty()) return;
        const auto schema = ask(kind, choice.plugin);
        if (!schema.error.empty())
            fault(node_at(root_, table + ".plugin")->at, table + ".plugin", schema.error);
        else
            choice.options =
                resolve_options(schema.options, node_at(root_, table + ".options"), table + ".options", faults_);
    }

    schema_answer ask(plugin_kind kind, const std::string& plugin) const {
        try {
            return lookup_.ask(kind, plugin, folder_);
        } catch (const std::exception& error) {
            return {{}, error.what()};
        }
    }

    void read_simulator(backend_spec& backend) {
        const auto* given = node_at(root_, simulator_table);
        std::vector<std::string> read_elsewhere;
        for (const auto& key : profile_keys())
            if (key.scope == key_scope::simulator)
                read_elsewhere.emplace_back(
                    std::string_view(key.option.name).substr(std::string_view(simulator_table).size() + 1));
        for (const auto& option : sim::repeatable_option_table()) read_elsewhere.emplace_back(option.name);
        backend.simulator = resolve_options(sim::option_table(), given, simulator_table, faults_, read_elsewhere);
        for (const auto& option : sim::repeatable_option_table()) {
            const auto* values = given == nullptr ? nullptr : given->find(option.name);
            if (values == nullptr) continue;
            std::vector<std::string> texts;
            read_list(*values, option, fmt::format("{}.{}", simulator_table, option.name), &texts);
            for (auto& text : texts) backend.simulator.push_back({option.name, std::move(text), option.type});
        }
    }

    node& root_;
    const std::string& file_;
    const fs::path& folder_;
    const schema_lookup& lookup_;
    std::vector<std::string>* faults_;
    bool simulator_needed_ = true;
    workload_kind kind_ = workload_kind::report;
    std::vector<std::string> agent_paths_;
};

} // namespace

profile read_profile(node& root, const std::string& file, const fs::path& folder, const schema_lookup& lookup,
                     std::vector<std::string>* faults) {
    return reader(root, file, folder, lookup, faults).read();
}

// ---- agents

namespace {

const node* agents_of(const node& root) {
    const auto* workload = root.find("workload");
    return workload == nullptr ? nullptr : workload->find("agents");
}

} // namespace

bool agents_are_counted(const node& root) {
    const auto* agents = agents_of(root);
    return agents != nullptr && (agents->find("count") != nullptr || agents->find("template") != nullptr);
}

std::vector<std::string> agent_paths(const node& root) {
    std::vector<std::string> paths;
    if (agents_are_counted(root)) {
        paths.emplace_back("workload.agents.template");
    } else if (const auto* agents = agents_of(root); agents != nullptr && agents->is_list()) {
        for (std::size_t i = 0; i < std::get<node::list>(agents->value).size(); ++i)
            paths.push_back(fmt::format("workload.agents.{}", i));
    }
    return paths;
}

std::vector<agent_spec> agents_from(const agent_spec& one, int count) {
    std::vector<agent_spec> agents(static_cast<std::size_t>(count), one);
    for (int i = 0; i < count; ++i) {
        auto& agent = agents[static_cast<std::size_t>(i)];
        for (auto* name : {&agent.id, &agent.label})
            if (!name->empty()) *name += fmt::format("_{}", i + 1);
    }
    return agents;
}

} // namespace chimera::host
