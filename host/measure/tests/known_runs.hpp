// Runs with known truth, built by hand. Times in milliseconds.
#pragma once

#include "measure/metrics.hpp"
#include "measure/recorder.hpp"
#include "measure/timeline.hpp"

#include <string>
#include <vector>

namespace chimera::test {

using chimera::host::agent_record;
using chimera::host::execution_record;
using chimera::host::nanoseconds_t;
using chimera::host::request_record;
using chimera::host::run_record;

inline constexpr nanoseconds_t origin = 1'000'000'000'000;

inline nanoseconds_t at(double ms) { return origin + static_cast<nanoseconds_t>(ms * 1e6); }

/// An agent that was polled and asked for its permit at `asked`, worked from `start` to `end`, and received from
/// `first_byte` on.
inline agent_record agent(const std::string& id, double asked, double start, double end, double first_byte) {
    agent_record a;
    a.id = id;
    a.spawned = at(0);
    a.first_polled = a.permit_asked = at(asked);
    a.granted = a.start = at(start);
    a.end = at(end);
    request_record r;
    r.call = "call_0";
    r.status = 200;
    r.intended = r.dispatched = r.connected = r.sent = at(start);
    r.first_byte = r.first_token = at(first_byte);
    r.last_token = r.done = at(end);
    a.requests.push_back(r);
    return a;
}

inline execution_record execution(double wall, std::vector<agent_record> agents) {
    execution_record x;
    x.begin = at(0);
    x.end = at(wall);
    x.agents = std::move(agents);
    return x;
}

/// The pieces that it has recorded.
inline std::vector<host::chunk_event> unpacked(host::recorder& log) {
    std::vector<host::chunk_event> out;
    for (const host::chunk_event& c : log.record().chunks.all()) out.push_back(c);
    return out;
}

inline host::campaign_metrics metrics_of(const std::vector<host::run_record>& runs) {
    return host::campaign_metrics(runs);
}

} // namespace chimera::test
