#pragma once

#include "workload/analysis.hpp"
#include "workload/data_summary.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// One call as the report shows it. Absent figures are shown as "-".
struct call_figures {
    std::string name; ///< "analysis", "report"
    std::optional<std::uint64_t> tokens;
    std::optional<double> ttft_ms;
    std::optional<double> tokens_per_second;
    std::optional<double> total_ms;
};

struct agent_report {
    std::string agent_id;
    std::string label;
    std::string model;
    data_summary data;
    analysis result;
    std::string text; ///< the model's reply to the report prompt
    std::vector<call_figures> calls;
};

/// The agent's report, in Markdown.
std::string render_agent_report(const agent_report& report);

} // namespace chimera::host
