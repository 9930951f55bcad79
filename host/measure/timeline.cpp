#include "measure/timeline.hpp"

#include <algorithm>

namespace chimera::host {

const char* name_of(agent_stage stage) noexcept {
    switch (stage) {
    case agent_stage::waiting_for_permit:
        return "waiting for a permit";
    case agent_stage::ingest:
        return "ingest";
    case agent_stage::connect:
        return "connecting and sending";
    case agent_stage::first_byte:
        return "waiting for the first byte";
    case agent_stage::body:
        return "reading the body";
    case agent_stage::end_of_body:
        return "waiting for the end of the body";
    case agent_stage::between_calls:
        return "between calls";
    case agent_stage::coordinating:
        return "coordinating";
    }
    return "unknown";
}

bool agent_record::ok() const noexcept {
    return error.empty() && end != 0 && std::ranges::all_of(requests, &request_record::ok);
}

bool run_record::complete() const noexcept {
    return concurrent.ok() && std::ranges::all_of(baseline, &execution_record::ok);
}

bool execution_record::ok() const noexcept { return std::ranges::all_of(agents, &agent_record::ok); }

bool execution_record::has_requests() const noexcept {
    return std::ranges::any_of(agents, [](const agent_record& a) { return !a.requests.empty(); });
}

bool execution_record::shares_connections() const noexcept {
    return std::ranges::any_of(
        agents, [](const agent_record& a) { return std::ranges::any_of(a.requests, &request_record::shared); });
}

} // namespace chimera::host
