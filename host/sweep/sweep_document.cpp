#include "sweep/sweep_document.hpp"

#include "report/summary.hpp"

namespace chimera::host {

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
    out.backend = backend_of(first);
    for (std::size_t r = 0; r < sweep.runtimes.size(); ++r) {
        const profile& p = sweep.profiles[r].front();
        planned_runtime runtime{sweep.runtimes[r].name, {}, p.executor.plugin, p.transport.plugin, {}};
        if (const std::string& d = sweep.runtimes[r].description; !d.empty()) runtime.description = d;
        if (p.foreign) runtime.foreign = p.foreign->plugin;
        out.runtimes.push_back(std::move(runtime));
    }
    for (const sweep_config& c : sweep.configs) {
        json parameters = json::object();
        for (const auto& [name, value] : c.parameters) std::visit([&](const auto& v) { parameters[name] = v; }, value);
        out.configs.push_back({c.name, std::move(parameters)});
    }
    out.cells_planned =
        static_cast<std::int64_t>(sweep.runtimes.size() * sweep.configs.size()) * static_cast<std::int64_t>(sweep.runs);
    return out;
}

} // namespace chimera::host
