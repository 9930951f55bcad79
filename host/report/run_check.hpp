// Whether the files of a finished run are those that were written.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace chimera::host {

/// What others than the run's own files say of a run: the journal of its sweep, the summary of its campaign, the name
/// of its folder. What is empty or nothing, they do not say.
struct run_claims {
    std::string metrics_crc32, config_hash;
    int number = 0; ///< 0: they do not say
    std::optional<double> efficiency_pct;
};

/// efficiency_pct of a run's metrics.json, or estimated_efficiency_pct where it has no such; nothing where it has none.
std::optional<double> efficiency_of(const nlohmann::ordered_json& metrics);

/// What is wrong with a run whose metrics.json was parsed and has this seal (empty: none), as "FILE: what is wrong;
/// what to do"; empty: nothing. Reads requests.jsonl. Files without a seal are only held against a seal that is
/// claimed, and requests.jsonl only against what metrics.json records of it.
std::string fault_of_run(const std::filesystem::path& folder, const nlohmann::ordered_json& metrics,
                         const std::string& seal, const run_claims&);

} // namespace chimera::host
