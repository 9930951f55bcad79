#pragma once
#include "profile/document.hpp"
#include "profile/profile.hpp"

/// Agents as a number and a template: `agents = { count = 8, template = { id = "agent", ... } }`.
namespace chimera::host {

/// Whether the agents of a document are written in this way rather than one by one.
bool agents_are_counted(const node& root);

/// Paths of the tables in which the agents of a document are written: "workload.agents.0" and so on, or the one path
/// "workload.agents.template". Empty where there are no agents, or something else stands in their place.
std::vector<std::string> agent_paths(const node& root);

/// The agents that a template makes: alike, but for _1, _2 and so on behind its id, and behind its label where it has
/// one.
std::vector<agent_spec> agents_from(const agent_spec& one, int count);

/// The template that makes exactly the profile's agents, once backend.urls are dealt to them; nothing where there is
/// none, or a single agent.
std::optional<agent_spec> template_of(const profile&);

/// Gives the agents without a URL the URLs in turn.
void deal_urls(std::vector<agent_spec>& agents, const std::vector<std::string>& urls);

} // namespace chimera::host
