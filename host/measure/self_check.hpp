// Could the client itself, or whatever gathered the records on their way, have changed the figures?
#pragma once

#include "measure/metrics.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// What the client's own figures say about the others.
///
/// A metric is client-limited when the busiest worker was on a CPU for more than 85 % of the time (then all are), or
/// when the p99 of the delivery or of the dispatch delay is over 1 % of the metric's median. The efficiency is
/// client-limited also when the client's own part of the loss, that is late starts by blocked workers and inflation by
/// the stages of the client, is over 1 % of the agent-time.
struct self_check {
    /// Of "efficiency_pct", "ttft_ms", "itl_ms", "e2e_ms" those that the client could have changed.
    std::vector<std::string> client_limited;
    /// Of "itl_ms", "tpot_ms", "tokens_per_second" those that describe how records were gathered on their way instead
    /// of the server: in most replies most records came together with others (see judge_reply()).
    std::vector<std::string> arrival_limited;
    std::vector<std::string> evidence; ///< a sentence for each reason of client_limited
    std::string arrival_evidence;      ///< the reason of arrival_limited
    bool limited() const noexcept { return !client_limited.empty(); }
};

/// Judges the metrics of one run, or of all runs of a campaign together.
std::optional<self_check> check_client(const std::vector<metric>&);

} // namespace chimera::host
