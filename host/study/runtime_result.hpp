// What the runs of one runtime say.
#pragma once

#include "statistics/description.hpp"
#include "study/study.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// The metric that counts: efficiency_pct, or estimated_efficiency_pct where no agent ever ran alone.
std::string headline_of(const study&);

/// The most agents that a run had; 0 where no run says.
std::size_t agents_of(const study&);

/// The values of a metric in the successful runs of a runtime, in their order; config empty: of every configuration.
std::vector<double> values_of(const study&, const std::string& runtime, const std::string& metric,
                              const std::string& config = {});

/// The parts of the lost agent-time, as the report names them, and the metrics that they are.
struct loss_part {
    const char *name, *metric;
};
inline constexpr loss_part loss_parts[] = {
    {"late_permit", "late_permit_pct"},
    {"late_blocked", "late_blocked_pct"},
    {"late_spawn", "late_spawn_pct"},
    {"imbalance", "imbalance_pct"},
    {"scheduling", "inflation_scheduling_pct"},
    {"blocked", "inflation_blocked_pct"},
    {"transport", "inflation_transport_pct"},
    {"head_of_line", "inflation_head_of_line_pct"},
    {"parsing", "inflation_parsing_pct"},
    {"work", "inflation_work_pct"},
    {"server", "inflation_server_pct"},
};

/// Figures over the successful runs. Does not own the study's parts.
struct runtime_result {
    const study_runtime* runtime;
    statistics::description headline;
    std::vector<std::pair<const study_run*, double>> outliers;  ///< runs with their headline
    std::optional<double> sd_of_config_means;                   ///< nothing for fewer than two configurations
    std::map<std::string, statistics::description> values;      ///< of every metric that was measured
    std::size_t runs = 0, judged_runs = 0, serialized_runs = 0; ///< judged: with a verdict on serialization
    std::size_t checked_runs = 0, client_limited_runs = 0,      ///< checked: with a self-check
        arrival_limited_runs = 0;
    std::string cause, evidence; ///< of the first serialized run

    /// The agents ran one after the other in most runs.
    bool serialized() const { return serialized_runs * 2 > runs; }
    /// Mean over the runs; nothing: not measured.
    std::optional<double> mean(const std::string& metric) const;
};

/// One for each runtime of the study, in its order.
std::vector<runtime_result> results_of(const study&);

/// The entries "runtimes" and "configs" of the report document.
nlohmann::ordered_json to_json(const std::vector<runtime_result>&);
nlohmann::ordered_json config_table(const study&);

/// A value, or null: not measured.
template <class T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

/// [low, high], or null.
nlohmann::ordered_json to_json(const std::optional<statistics::interval>&);

} // namespace chimera::host
