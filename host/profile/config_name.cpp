#include "profile/profile.hpp"
#include <algorithm>
#include <fmt/format.h>

namespace chimera::host {

namespace {

/// "_gpu80", "_gpu80-100" where the agents differ, nothing where no agent has a value.
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
    constexpr std::size_t most = 3; // more would make a name that nobody reads
    std::string out;
    for (std::size_t i = 0; i < std::min(values.size(), most); ++i)
        out += (i == 0 ? "_" : "-") + (i == 0 ? name + values[i] : values[i]);
    return values.size() > most ? out + "-etc" : out;
}

} // namespace

std::string config_name(const profile& p) {
    const auto& agents = p.workload.agents;
    std::vector<const server_options*> tuned;
    for (const auto& agent : agents)
        if (agent.options != server_options{}) tuned.push_back(&agent.options);
    if (tuned.empty()) return agents.size() == 1 ? "single_baseline" : "baseline";
    const bool alike = std::all_of(tuned.begin(), tuned.end(), [&](const auto* o) { return *o == *tuned.front(); });
    std::string name = agents.size() == 1             ? "single"
                       : tuned.size() < agents.size() ? "baseline_vs_chimera"
                       : alike                        ? "chimera_homo"
                                                      : "chimera_hetero";
    name += part(tuned, "gpu", &server_options::num_gpu);
    name += part(tuned, "ctx", &server_options::num_ctx);
    // 1.0 is the temperature of all the reports' configurations of two agents, and not part of their names.
    const bool usual =
        std::all_of(tuned.begin(), tuned.end(), [](const auto* o) { return o->temperature.value_or(1.0) == 1.0; });
    if (!usual) name += part(tuned, "temp", &server_options::temperature);
    return name;
}

} // namespace chimera::host
