// The steps from a document to a profile: overrides, reading by the table of keys, and the rules that concern several
// keys. load_profile() takes them in this order; a sweep takes them for each of its cells.
#pragma once

#include "profile/document.hpp"
#include "profile/load.hpp"
#include "profile/profile.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The end of every message about a secret in a profile.
inline constexpr std::string_view no_secret =
    "a profile must not contain a secret; use --api-key or the environment variable CHIMERA_API_KEY";

/// Tables of a profile that are about its results, not about how it runs: host/questions reads them.
inline constexpr std::array<std::string_view, 5> question_tables{"claims", "hypotheses", "criteria", "references",
                                                                 "cost"};

/// Takes these tables out of a document.
void drop_questions(node& root);

/// Adds the two agents of the reports if the document names none. Then applies the command line: first --set, then the
/// other options where no --set was more specific. If --set chooses another plugin, the file's options for the old one
/// are dropped. Appends faults.
void apply_overrides(node& root, const profile_overrides&, std::vector<std::string>* faults);

/// Makes a profile of a document, as the table of keys says (profile_keys.hpp): refuses unknown keys, converts and
/// checks each value, and fills in defaults. Rules about several keys are left to check_profile(). file: its name in
/// messages; folder: absolute, the base of its relative paths. May erase keys from the document that have no effect.
/// Appends faults.
profile read_profile(node& root, const std::string& file, const std::filesystem::path& folder, const schema_lookup&,
                     std::vector<std::string>* faults);

/// Checks the rules that concern several keys: ids are unique and fit for file names, URLs are HTTP URLs without
/// secrets, files exist, ... Also assigns URLs to the agents and fills in missing names. Appends faults, placed by the
/// document.
void check_profile(profile&, const node& root, const std::string& file, std::vector<std::string>* faults);

/// Why a name cannot be the name of a file, and what to use; empty: it can.
std::string file_name_fault(std::string_view);

/// Whether the document writes its agents as a count and a template:
/// `agents = { count = 8, template = { id = "agent", ... } }`.
bool agents_are_counted(const node& root);

/// The paths of the tables that describe agents: "workload.agents.0" and so on, or the one path
/// "workload.agents.template". Empty if there are none, or if the value has another type.
std::vector<std::string> agent_paths(const node& root);

/// The agents that a template makes. They are equal except for the suffix _1, _2 and so on of the id, and of the label
/// if there is one.
std::vector<agent_spec> agents_from(const agent_spec& one, int count);

/// Gives the agents without a URL the URLs in turn.
void deal_urls(std::vector<agent_spec>& agents, const std::vector<std::string>& urls);

} // namespace chimera::host
