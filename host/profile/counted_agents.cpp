#include "profile/counted_agents.hpp"
#include <fmt/format.h>

namespace chimera::host {

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

void deal_urls(std::vector<agent_spec>& agents, const std::vector<std::string>& urls) {
    if (urls.empty()) return;
    for (std::size_t i = 0; i < agents.size(); ++i)
        if (agents[i].url.empty()) agents[i].url = urls[i % urls.size()];
}

} // namespace chimera::host
