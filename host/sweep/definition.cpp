#include "sweep/definition.hpp"

#include "process/messages.hpp"
#include "process/secrets.hpp"
#include "profile/options.hpp"
#include "profile/reading.hpp"
#include "questions/read.hpp"
#include "report/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include <fnmatch.h>

namespace chimera::host {
namespace {

// A sweep is resolved as a whole before its first cell runs, and stays in memory until the last one has run.
constexpr std::size_t most_combinations = 10'000; ///< of a runtime and a configuration
constexpr std::size_t most_cells = 1'000'000;     ///< a combination and a run
constexpr std::size_t most_agents = 1'000'000;    ///< of all combinations together
constexpr std::size_t most_faults = 100;          ///< also of combinations with faults: more would say nothing new

/// A runtime or a configuration as it was written: a name, and changes to the profile.
struct variant_spec {
    std::string name, description;
    origin at;
    std::vector<node> patches;
};

class sweep_reader {
  public:
    sweep_reader(const node& sweep, std::vector<std::string>& faults) : sweep_(sweep), faults_(faults) {}

    std::string text(const node& table, const char* key) {
        const node* given = table.find(key);
        if (given == nullptr) return {};
        if (const auto* value = std::get_if<std::string>(&given->value)) return *value;
        fault(given->at, key, fmt::format("is {}; give a string", kind_of(*given)));
        return {};
    }
    /// The keys with one value.
    sweep_values values() {
        sweep_values out;
        for (const auto& key : sweep_keys()) {
            const node* given = sweep_.find(key.option.name);
            if (given == nullptr) continue;
            const checked_value checked = check_node(key.option, *given);
            if (checked.fault.empty())
                store(key.field(out), key.option, checked.text);
            else
                faults_.push_back(fault_at(given->at, std::string("sweep.") + key.option.name, checked.fault));
        }
        return out;
    }
    /// [[sweep.runtimes]] or [[sweep.configs]].
    std::vector<variant_spec> listed(const char* key) {
        std::vector<variant_spec> out;
        const node* given = sweep_.find(key);
        if (given == nullptr) return out;
        const auto* items = std::get_if<node::list>(&given->value);
        if (items == nullptr) {
            fault(given->at, key, fmt::format("is {}; write [[sweep.{}]] for each", kind_of(*given), key));
            return out;
        }
        for (const node& item : *items) {
            check_keys(item, fmt::format("sweep.{}", key), {"name", "description", "set"});
            variant_spec v{text(item, "name"), text(item, "description"), item.at, {}};
            if (v.name.empty()) fault(item.at, key, "has no name; give it one: name = \"...\"");
            if (const node* set = item.find("set")) {
                if (set->is_table())
                    v.patches.push_back(*set);
                else
                    fault(set->at, "set", fmt::format("is {}; give a table of the profile's keys", kind_of(*set)));
            }
            out.push_back(std::move(v));
        }
        return out;
    }
    /// Every combination of [sweep.grid], named after its values.
    std::vector<variant_spec> grid() {
        const node* given = sweep_.find("grid");
        if (given == nullptr) return {};
        const auto* keys = std::get_if<node::table>(&given->value);
        if (keys == nullptr || keys->empty()) {
            fault(given->at, "grid", "needs keys of the profile with their values: \"workload.permits\" = [1, 2]");
            return {};
        }
        if (!may_be_made(*given, *keys)) return {};
        std::vector<variant_spec> out{{"", "", given->at, {}}};
        for (const auto& [path, at, value] : *keys) {
            const auto* values = std::get_if<node::list>(&value.value);
            if (values == nullptr || values->empty()) {
                fault(at, path, "needs an array of values");
                continue;
            }
            std::vector<variant_spec> wider;
            for (const variant_spec& so_far : out)
                for (const node& v : *values) {
                    variant_spec next = so_far;
                    next.name += (next.name.empty() ? "" : "_") + parameter_name(path) + value_text(v);
                    next.patches.push_back(patch_at(path, v));
                    wider.push_back(std::move(next));
                }
            out = std::move(wider);
        }
        return out;
    }
    void check_keys(const node& table, const std::string& where, const std::vector<std::string>& names) {
        const auto* members = std::get_if<node::table>(&table.value);
        if (members == nullptr) {
            fault(table.at, where, fmt::format("is {}; give a table", kind_of(table)));
            return;
        }
        for (const member& m : *members)
            if (std::ranges::find(names, m.key) == names.end())
                fault(m.at, where + "." + m.key, "unknown key; " + suggest(m.key, names));
    }
    void check_names(const std::vector<variant_spec>& variants, const char* key) {
        std::set<std::string> seen;
        for (const variant_spec& v : variants) {
            if (v.name.empty()) continue;
            if (const auto why = file_name_fault(v.name); !why.empty()) fault(v.at, key, why);
            if (!seen.insert(v.name).second)
                fault(v.at, key, fmt::format("\"{}\" is there twice; results are filed under it", v.name));
        }
    }
    void fault(const origin& at, std::string_view key, const std::string& what) {
        faults_.push_back(fmt::format("{}: {}: {}", at.where, key, what));
    }

    /// Whether the combinations of a grid are few enough, and its keys not too deep. Otherwise faults are added.
    bool may_be_made(const node& grid, const node::table& keys) {
        std::size_t combinations = 1;
        for (const auto& [path, at, value] : keys) {
            if (parts_of(path) > most_levels) {
                fault(at, "grid", fmt::format("has a key with {}", too_deep()));
                return false;
            }
            const auto* values = std::get_if<node::list>(&value.value);
            if (values != nullptr) combinations *= std::max<std::size_t>(values->size(), 1);
            if (combinations <= most_combinations) continue;
            fault(
                grid.at, "grid",
                fmt::format("has more than {} combinations; give fewer values, or several sweeps", most_combinations));
            return false;
        }
        return true;
    }

    static std::string parameter_name(std::string_view path) {
        if (path == "workload.agents.count") return "agents";
        return std::string(path.substr(path.rfind('.') + 1));
    }
    static std::string value_text(const node& v) {
        if (const auto* i = std::get_if<std::int64_t>(&v.value)) return fmt::format("{}", *i);
        if (const auto* d = std::get_if<double>(&v.value)) return fmt::format("{}", *d);
        if (const auto* b = std::get_if<bool>(&v.value)) return *b ? "true" : "false";
        if (const auto* s = std::get_if<std::string>(&v.value)) return *s;
        const auto* items = std::get_if<node::list>(&v.value);
        if (items == nullptr) return kind_of(v);
        std::string text; // "1-0.5"
        for (const node& item : *items) text += (text.empty() ? "" : "-") + value_text(item);
        return text;
    }

  private:
    const node& sweep_;
    std::vector<std::string>& faults_;
};

using parameter_map = decltype(sweep_config::parameters);

/// The scalar leaves of patches by their parameter names.
struct parameter_reader {
    parameter_map values;
    std::set<std::string> ambiguous;                     ///< names with two values
    std::map<std::string, std::set<std::string>> agents; ///< names that single agents were given, and which agents

    void read(const node& patch, const std::string& path) {
        if (const auto* members = std::get_if<node::table>(&patch.value)) {
            for (const member& m : *members) read(m.value, path.empty() ? m.key : path + "." + m.key);
            return;
        }
        if (const auto* items = std::get_if<node::list>(&patch.value);
            items != nullptr && std::ranges::any_of(*items, &node::is_table))
            return; // agents
        std::variant<double, std::string> value = sweep_reader::value_text(patch);
        if (const auto* i = std::get_if<std::int64_t>(&patch.value)) value = static_cast<double>(*i);
        if (const auto* d = std::get_if<double>(&patch.value)) value = *d;
        const std::string name = sweep_reader::parameter_name(path);
        if (const auto [at, is_new] = values.emplace(name, value); !is_new && at->second != value)
            ambiguous.insert(name);
        constexpr std::string_view list = "workload.agents.";
        if (!path.starts_with(list) || name == "agents") return;
        const std::string agent = path.substr(list.size(), path.find('.', list.size()) - list.size());
        if (agent != "*" && agent != "template") agents[name].insert(agent);
    }
};

/// An option of requests; nothing inside: the server's default; nothing at all: there is no such option.
std::optional<std::optional<double>> option_named(const std::string& name, const server_options& o) {
    constexpr std::pair<std::string_view, std::optional<std::int64_t> server_options::*> whole[] = {
        {"num_gpu", &server_options::num_gpu},
        {"num_ctx", &server_options::num_ctx},
        {"top_k", &server_options::top_k},
        {"num_predict", &server_options::num_predict},
        {"seed", &server_options::seed}};
    constexpr std::pair<std::string_view, std::optional<double> server_options::*> real[] = {
        {"temperature", &server_options::temperature},
        {"top_p", &server_options::top_p},
        {"repeat_penalty", &server_options::repeat_penalty}};
    for (const auto& [key, member] : whole)
        if (key == name) return o.*member ? std::optional(static_cast<double>(*(o.*member))) : std::nullopt;
    for (const auto& [key, member] : real)
        if (key == name) return o.*member;
    return std::nullopt;
}

/// What the agents were given of an option: one value, or "80/100", each value once where agents are many. Nothing: it
/// is no option of requests.
std::optional<parameter_map::mapped_type> option_of(const std::vector<agent_spec>& agents, const std::string& name) {
    std::vector<std::string> texts;
    std::optional<double> first;
    for (const agent_spec& agent : agents) {
        const auto value = option_named(name, agent.options);
        if (!value) return std::nullopt;
        if (texts.empty()) first = *value;
        texts.push_back(*value ? fmt::format("{}", **value) : "default");
    }
    const auto same = [&](const std::string& text) { return text == texts.front(); };
    if (std::ranges::all_of(texts, same)) return first ? parameter_map::mapped_type(*first) : texts.front();
    constexpr std::size_t few = 4;
    if (texts.size() > few) {
        std::set<std::string> seen;
        std::erase_if(texts, [&](const std::string& text) { return !seen.insert(text).second; });
    }
    return fmt::format("{}", fmt::join(texts, "/"));
}

sweep_config config_of(const variant_spec& v, const std::vector<agent_spec>& agents) {
    parameter_reader reader;
    for (const node& patch : v.patches) reader.read(patch, "");
    for (const std::string& name : reader.ambiguous) reader.values.erase(name);
    for (const auto& [name, given] : reader.agents) {
        if (auto value = option_of(agents, name))
            reader.values.insert_or_assign(name, std::move(*value));
        else if (given.size() < agents.size())
            reader.values.erase(name);
    }
    return {v.name, std::move(reader.values)};
}

/// Every key that [sweep] may have.
std::vector<std::string> names_of_keys() {
    std::vector<std::string> out;
    for (const auto& key : sweep_keys()) out.emplace_back(key.option.name);
    out.insert(out.end(), {"runtimes", "configs", "grid"});
    return out;
}

/// A configuration's own seed, of 31 bits: FNV-1a over the sweep's seed and the name.
std::uint64_t seed_for(std::uint64_t seed, const std::string& name) {
    const std::uint64_t hash = fnv1a(name, fnv1a({}) ^ seed);
    return (hash ^ (hash >> 32U)) & 0x7fffffffU;
}

} // namespace

namespace {

std::vector<std::string> options_of(const profile_overrides& o) {
    std::vector<std::string> out;
    const auto add = [&out](const char* name, const std::string& value) {
        out.emplace_back(name);
        out.push_back(redacted(value));
    };
    for (const std::string& url : o.urls) add("--url", url);
    if (o.model) add("--model", *o.model);
    if (o.runs) add("--runs", fmt::format("{}", *o.runs));
    if (o.warmup) add("--warmup", fmt::format("{}", *o.warmup));
    for (const std::string& set : o.sets) add("--set", set);
    return out;
}

} // namespace

sweep_definition load_sweep(const std::filesystem::path& file, const schema_lookup& lookup,
                            const profile_overrides& overrides) {
    std::vector<std::string> faults;
    std::string syntax;
    node root = parse_document(read_profile_text(file), file.string(), &syntax);
    if (!syntax.empty()) throw profile_error({syntax});
    if (root.find("sweep") == nullptr)
        throw profile_error({fmt::format("{}: has no [sweep]; run it with: chimera-host run --profile {}",
                                         file.string(), file.string())});
    apply_overrides(root, overrides, &faults);
    const node sweep = *root.find("sweep");
    std::erase_if(std::get<node::table>(root.value), [](const member& m) { return m.key == "sweep"; });
    question_set questions = take_questions(root, file.string(), &faults);

    sweep_reader reader(sweep, faults);
    reader.check_keys(sweep, "sweep", names_of_keys());
    if (!faults.empty()) throw profile_error(std::move(faults));
    const sweep_values values = reader.values();
    sweep_definition out;
    out.questions = std::move(questions);
    out.question = values.question;
    out.until_ci_pct = values.until_ci_pct;
    out.conduct = values.conduct;
    std::vector<variant_spec> runtimes = reader.listed("runtimes"), configs = reader.listed("configs");
    for (variant_spec& v : reader.grid()) configs.push_back(std::move(v));
    if (configs.empty()) configs.push_back({"default", "", sweep.at, {}});
    reader.check_names(runtimes, "sweep.runtimes");
    reader.check_names(configs, "sweep.configs");
    if (!faults.empty()) throw profile_error(std::move(faults));

    const bool only_one = runtimes.empty();
    if (only_one) runtimes.push_back({"", "", sweep.at, {}});
    const auto refuse = [&](const std::string& what) {
        throw profile_error({fmt::format("{}: sweep: {}", sweep.at.where, what)});
    };
    const std::size_t combinations = runtimes.size() * configs.size();
    if (combinations > most_combinations)
        refuse(fmt::format("has {} runtimes in {} configurations; together {} combinations at most", runtimes.size(),
                           configs.size(), most_combinations));
    std::size_t agents = 0, faulty = 0;
    std::set<std::string> seen; // the faults
    for (const variant_spec& r : runtimes) {
        auto& row = out.profiles.emplace_back();
        for (const variant_spec& c : configs) {
            if (faults.size() > most_faults || faulty == most_faults) break;
            node cell = root;
            std::vector<std::string> cell_faults;
            for (const auto* patches : {&r.patches, &c.patches})
                for (const node& patch : *patches)
                    if (auto fault = apply_patch(cell, patch); !fault.empty()) cell_faults.push_back(std::move(fault));
            try {
                row.push_back(resolve_profile(std::move(cell), file, lookup, std::move(cell_faults)));
                agents += row.back().workload.agents.size();
            } catch (const profile_error& e) { // what several cells share is said once
                ++faulty;
                for (const std::string& fault : e.faults())
                    if (seen.insert(fault).second) faults.push_back(fault);
            }
            if (agents > most_agents)
                refuse(fmt::format("has more than {} agents in all combinations together; give fewer", most_agents));
        }
    }
    if (faults.size() > most_faults) {
        faults.resize(most_faults);
        faults.push_back(fmt::format("{}: sweep: there are more faults; mend these first", sweep.at.where));
    }
    if (!faults.empty()) throw profile_error(std::move(faults));
    for (const auto& row : out.profiles)
        for (const profile& p : row) {
            const profile& first = out.profiles.front().front();
            if (p.name == first.name && p.measure.runs == first.measure.runs && p.measure.seed == first.measure.seed)
                continue;
            throw profile_error(
                {fmt::format("{}: a runtime or a configuration sets name, measure.runs or measure.seed; these "
                             "belong to the sweep as a whole",
                             file.string())});
        }
    const profile& first = out.profiles.front().front();
    out.name = first.name;
    out.description = first.description;
    out.options = options_of(overrides);
    out.runs = first.measure.runs;
    if (combinations * static_cast<std::size_t>(out.runs) > most_cells)
        refuse(fmt::format("has {} combinations in {} runs; together {} cells at most", combinations, out.runs,
                           most_cells));
    out.seed = first.measure.seed;
    if (!values.common_seed)
        for (auto& row : out.profiles)
            for (std::size_t c = 0; c < row.size(); ++c) row[c].measure.seed = seed_for(out.seed, configs[c].name);
    for (const variant_spec& r : runtimes) out.runtimes.push_back({only_one ? first.name : r.name, r.description});
    for (std::size_t c = 0; c < configs.size(); ++c)
        out.configs.push_back(config_of(configs[c], out.profiles.front()[c].workload.agents));
    return out;
}

std::vector<sweep_cell> plan_cells(const sweep_definition& sweep) {
    std::vector<sweep_cell> plan;
    std::mt19937_64 random(sweep.seed);
    for (int run = 1; run <= sweep.runs; ++run) {
        std::vector<sweep_cell> round;
        for (std::size_t r = 0; r < sweep.runtimes.size(); ++r)
            for (std::size_t c = 0; c < sweep.configs.size(); ++c) round.push_back({r, c, run});
        // Fisher and Yates, by hand: std::shuffle's order is not the same everywhere.
        for (std::size_t i = round.size(); i > 1; --i) std::swap(round[i - 1], round[random() % i]);
        plan.insert(plan.end(), round.begin(), round.end());
    }
    return plan;
}

std::string group_name(const sweep_definition& sweep, const sweep_cell& cell) {
    return sweep.runtimes.at(cell.runtime).name + "/" + sweep.configs.at(cell.config).name;
}

std::string cell_name(const sweep_definition& sweep, const sweep_cell& cell) {
    return fmt::format("{}/run_{}", group_name(sweep, cell), cell.run);
}

std::vector<sweep_cell> matching(const sweep_definition& sweep, const std::vector<sweep_cell>& cells,
                                 const std::string& glob) {
    std::vector<sweep_cell> out;
    std::ranges::copy_if(cells, std::back_inserter(out), [&](const sweep_cell& c) {
        return fnmatch(glob.c_str(), group_name(sweep, c).c_str(), 0) == 0 ||
               fnmatch(glob.c_str(), cell_name(sweep, c).c_str(), 0) == 0;
    });
    return out;
}

sweep_result result_of(const sweep_definition& sweep) {
    const profile& first = sweep.profiles.front().front();
    sweep_result out;
    out.name = sweep.name;
    out.description = sweep.description;
    out.question = sweep.question;
    out.profile = first.source.string();
    out.order = "round by round, drawn from the seed";
    out.seed = static_cast<std::int64_t>(sweep.seed);
    out.runs = sweep.runs;
    out.until_ci_pct = sweep.until_ci_pct;
    out.pause_s = sweep.conduct.pause_s;
    if (!sweep.conduct.before_cell.empty()) out.before_cell = sweep.conduct.before_cell;
    if (!sweep.conduct.after_cell.empty()) out.after_cell = sweep.conduct.after_cell;
    out.backend = backend_of(first);
    out.options = sweep.options;
    for (std::size_t r = 0; r < sweep.runtimes.size(); ++r) {
        const profile& p = sweep.profiles[r].front();
        planned_runtime runtime{sweep.runtimes[r].name, {}, p.executor.plugin, {}, {}, {}};
        if (!p.transport.plugin.empty()) runtime.transport = p.transport.plugin;
        if (p.coordinator) runtime.coordinator = p.coordinator->plugin;
        if (const std::string& d = sweep.runtimes[r].description; !d.empty()) runtime.description = d;
        if (p.foreign) runtime.foreign = p.foreign->plugin;
        out.runtimes.push_back(std::move(runtime));
    }
    for (const sweep_config& c : sweep.configs) {
        json parameters = json::object();
        for (const auto& [name, value] : c.parameters)
            std::visit([&at = parameters[name]](const auto& v) { at = v; }, value);
        out.configs.push_back({c.name, std::move(parameters)});
    }
    out.cells_planned =
        static_cast<std::int64_t>(sweep.runtimes.size() * sweep.configs.size()) * static_cast<std::int64_t>(sweep.runs);
    if (!sweep.questions.empty()) out.questions = to_json(sweep.questions);
    return out;
}

} // namespace chimera::host
