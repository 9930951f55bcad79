#include "sweep/sweep_document.hpp"

#include "report/summary.hpp"

#include <nlohmann/json.hpp>

namespace chimera::host {

nlohmann::ordered_json sweep_document(const sweep_definition& sweep) {
    using json = nlohmann::ordered_json;
    json j{{"schema_version", sweep_schema_version},
           {"kind", "sweep"},
           {"source", "chimera"},
           {"name", sweep.name},
           {"description", sweep.description},
           {"question", sweep.question},
           {"profile", sweep.profiles.front().front().source.string()},
           {"order", "round by round, drawn from the seed"},
           {"seed", sweep.seed},
           {"runs", sweep.runs},
           {"until_ci_pct", sweep.until_ci_pct},
           {"backend", backend_of(sweep.profiles.front().front())}};
    j["runtimes"] = json::array();
    for (std::size_t r = 0; r < sweep.runtimes.size(); ++r) {
        const profile& p = sweep.profiles[r].front();
        j["runtimes"].push_back({{"name", sweep.runtimes[r].name},
                                 {"description", sweep.runtimes[r].description},
                                 {"executor", p.executor.plugin},
                                 {"foreign", p.foreign ? json(p.foreign->plugin) : json(nullptr)},
                                 {"transport", p.transport.plugin}});
    }
    j["configs"] = json::array();
    for (const sweep_config& c : sweep.configs) {
        json parameters = json::object();
        for (const auto& [name, value] : c.parameters) std::visit([&](const auto& v) { parameters[name] = v; }, value);
        j["configs"].push_back({{"name", c.name}, {"parameters", std::move(parameters)}});
    }
    j["cells_planned"] = sweep.runtimes.size() * sweep.configs.size() * static_cast<std::size_t>(sweep.runs);
    return j;
}

} // namespace chimera::host
