// From the record of a run to the run as its files hold it.
#pragma once

#include "measure/metrics.hpp"
#include "measure/timeline.hpp"
#include "profile/profile.hpp"
#include "result/run_result.hpp"

#include <span>
#include <vector>

namespace chimera::host {

/// Everything about a run but its requests: its figures, the verdicts, and every agent of every execution.
/// metrics: of this run alone.
run_result result_of(const profile&, const run_record&, const campaign_metrics& metrics);

/// One request with its moments, the server's figures and its pieces. execution: "alone" or "together".
request_result result_of(const char* execution, const execution_record&, const agent_record&, const request_record&);

/// Each kind of remark on the replies of all executions, in the order of their first.
std::vector<counted_remark> remarks_of(std::span<const run_record>);

} // namespace chimera::host
