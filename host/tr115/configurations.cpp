#include "tr115/configurations.hpp"

#include "profile/profile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace chimera::host {
namespace {

constexpr const char* options_of_reports[] = {"num_gpu", "num_ctx", "temperature"};

/// As names of configurations are written: with "_" for everything else.
std::string as_name(std::string text) {
    for (char& c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-' && c != '_') c = '_';
    return text;
}

/// Without what the programs wrote in more than one way: "chimera-homo_gpu80_ctx512_temp10".
std::string comparable(std::string text) {
    std::ranges::replace(text, '-', '_');
    std::erase(text, '.');
    return text;
}

/// The originals keep single precision: 0.800000011920929.
double rounded(double value) { return std::round(value * 1e6) / 1e6; }

/// The value of both agents, or "80/100" where they differ; "default" for one that the server chose.
json parameter(const tr115_record& r, const char* name) {
    std::vector<json> values;
    for (const tr115_agent& a : r.agents) {
        const auto found = a.options.find(name);
        if (found == a.options.end())
            values.emplace_back("default");
        else
            values.push_back(found->is_number_float() ? json(rounded(found->get<double>())) : *found);
    }
    if (std::ranges::all_of(values, [&](const json& v) { return v == values[0]; })) return values[0];
    std::vector<std::string> texts;
    for (const json& v : values)
        texts.push_back(v.is_string()         ? v.get<std::string>()
                        : v.is_number_float() ? fmt::format("{}", v.get<double>())
                                              : v.dump());
    return fmt::format("{}", fmt::join(texts, "/"));
}

json parameters_of(const tr115_record& r, bool several_models) {
    json out = json::object();
    for (const char* name : options_of_reports) out[name] = parameter(r, name);
    if (several_models) out["model"] = r.agents[0].model;
    return out;
}

server_options options_of(const tr115_agent& a) {
    server_options out;
    const auto number = [&a](const char* name) -> std::optional<double> {
        const auto found = a.options.find(name);
        return found != a.options.end() && found->is_number() ? std::optional(rounded(found->get<double>()))
                                                              : std::nullopt;
    };
    if (const auto n = number("num_gpu")) out.num_gpu = static_cast<std::int64_t>(*n);
    if (const auto n = number("num_ctx")) out.num_ctx = static_cast<std::int64_t>(*n);
    out.temperature = number("temperature");
    return out;
}

/// Whether the programs of the reports would have named a folder so.
bool is_name_of_reports(const std::string& folder) {
    const std::string name = comparable(folder);
    return std::ranges::any_of(std::array{"baseline_vs_chimera", "chimera_homo", "chimera_hetero"},
                               [&](const char* scenario) { return name.starts_with(scenario); });
}

std::string name_by_options(const imported_run& r) {
    std::vector<server_options> options;
    for (const tr115_agent& a : r.record.agents) options.push_back(options_of(a));
    return is_name_of_reports(r.run.config) ? config_name(options) : r.run.config;
}

/// A folder names a model as well as it can: "qwen2.5_7b". Other files may have its name.
void name_models(std::vector<imported_run>& runs) {
    std::map<std::string, std::string> names;
    for (const imported_run& r : runs)
        for (const tr115_agent& a : r.record.agents) {
            std::string& known = names[as_name(a.model)];
            if (known.empty() || known == as_name(known)) known = a.model;
        }
    for (imported_run& r : runs)
        for (tr115_agent& a : r.record.agents) a.model = names[as_name(a.model)];
}

bool several_models(const std::vector<imported_run>& runs) {
    return std::ranges::any_of(
        runs, [&](const imported_run& r) { return r.record.agents[0].model != runs[0].record.agents[0].model; });
}

/// Options that are not the same in all runs of a configuration, and names that say other ones.
std::vector<std::string> contradictions(const std::vector<imported_run>& runs, bool models) {
    std::vector<std::string> out;
    std::map<std::string, const imported_run*> first;
    std::set<std::string> told;
    for (const imported_run& r : runs) {
        const std::string derived = name_by_options(r), folder = r.run.file.parent_path().string();
        if (!comparable(r.run.config).starts_with(comparable(derived)) &&
            told.insert(r.run.runtime + "/" + r.run.config).second)
            out.push_back(fmt::format("{}: the folder is called {}, but its files have the options of {}; the "
                                      "configuration is called {}",
                                      folder, r.run.config, derived, r.config));
        const auto [known, is_new] = first.try_emplace(r.config, &r);
        if (is_new) continue;
        const json here = parameters_of(r.record, models), there = parameters_of(known->second->record, models);
        for (const auto& [name, value] : here.items())
            if (value != there.at(name) && told.insert(r.config + ": " + name).second)
                out.push_back(fmt::format("{}: {} is {} here and {} in {}, both in {}", r.run.file.string(), name,
                                          value.dump(), there.at(name).dump(), known->second->run.file.string(),
                                          r.config));
    }
    return out;
}

std::optional<std::int64_t> moment_of(const imported_run& r) {
    const auto began = began_ns(r.record);
    return began ? began : r.record.written_ns;
}

/// What the time stamps say of the order; nothing where a run has none.
std::optional<std::string> order_of(const std::vector<imported_run>& in_time) {
    std::vector<std::string> turns;
    for (const imported_run& r : in_time) {
        if (!moment_of(r)) return std::nullopt;
        if (turns.empty() || turns.back() != r.run.runtime) turns.push_back(r.run.runtime);
    }
    const std::set<std::string> runtimes(turns.begin(), turns.end());
    if (runtimes.size() == 1) return "by the time stamps";
    if (turns.size() == runtimes.size())
        return fmt::format("one runtime after the other, by the time stamps: {}", fmt::join(turns, ", "));
    return fmt::format("by the time stamps: another runtime than before in {} of {} runs", turns.size() - 1,
                       in_time.size());
}

} // namespace

std::vector<std::string> name_configurations(std::vector<imported_run>& runs) {
    name_models(runs);
    const bool models = several_models(runs);
    std::map<std::tuple<std::string, std::string, std::string>, std::set<std::string>> folders;
    std::set<std::string> ambiguous; // names that two folders would get
    const auto suffix = [&](const imported_run& r) { return models ? "_" + as_name(r.record.agents[0].model) : ""; };
    for (const imported_run& r : runs) {
        const std::string name = name_by_options(r) + suffix(r);
        auto& with_name = folders[{r.run.runtime, r.run.phase, name}];
        if (with_name.insert(r.run.config).second && with_name.size() > 1) ambiguous.insert(name);
    }
    for (imported_run& r : runs) {
        r.config = name_by_options(r) + suffix(r);
        if (ambiguous.contains(r.config)) r.config = r.run.config + suffix(r);
        if (!r.run.phase.empty()) r.config = as_name(r.run.phase) + "_" + r.config;
    }
    return contradictions(runs, models);
}

void sort_by_time(std::vector<imported_run>& runs) {
    std::ranges::stable_sort(runs, [](const imported_run& a, const imported_run& b) {
        const auto of_a = moment_of(a), of_b = moment_of(b);
        return of_a && (!of_b || *of_a < *of_b);
    });
}

sweep_result converted_sweep(const std::vector<imported_run>& runs, const std::vector<std::string>& runtimes,
                             std::string name) {
    sweep_result out;
    out.source = "tr115";
    out.name = std::move(name);
    out.description = fmt::format("{} runs of the original reports' programs, imported", runs.size());
    out.question = "How efficient are two concurrent agents on each client runtime?";
    out.order = order_of(runs);
    if (std::ranges::all_of(runs, [](const imported_run& r) {
            return std::ranges::none_of(r.record.agents, [](const tr115_agent& a) { return a.url.empty(); });
        }))
        out.backend = "server";
    const bool models = several_models(runs);
    std::map<std::string, json> configs;
    int most = 0;
    for (const imported_run& r : runs) {
        configs.try_emplace(r.config, parameters_of(r.record, models));
        most = std::max(most, r.run.number);
    }
    for (const std::string& runtime : runtimes) out.runtimes.push_back({runtime, {}, {}, {}, {}});
    out.runs = most;
    for (const auto& [config, parameters] : configs) out.configs.push_back({config, parameters});
    out.cells_planned = static_cast<std::int64_t>(runs.size());
    return out;
}

} // namespace chimera::host
