// Every metric there is: name, unit, provenance, definition in words, and the function that is that definition.
#pragma once

#include "measure/attribution.hpp"
#include "measure/metrics.hpp"

#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace chimera::host {

/// What the metrics of a run are made of.
struct run_facts {
    run_figures figures;
    bool polls = true;   ///< polls were timed
    bool shared = false; ///< sessions of the transport may share connections
    std::optional<thread_load> busiest;
    std::optional<double> throughput_tok_s, jain_index;
};

/// Requires a run in which every agent succeeded.
run_facts facts_of(const run_record&);

using sample = std::vector<double>;

/// The value of one run; nothing where it was not measured.
using of_run = std::optional<double> (*)(const run_facts&);
/// Adds the values of one request that succeeded.
using of_request = void (*)(const agent_record&, const request_record&, sample&);

struct metric_definition_row {
    std::string_view name, unit;
    provenance from;
    std::string_view text;
    std::variant<of_run, of_request> values;

    metric_level level() const noexcept {
        return values.index() == 0 ? metric_level::per_run : metric_level::per_request;
    }
};

/// In the order of the output.
std::span<const metric_definition_row> metric_definitions();

} // namespace chimera::host
