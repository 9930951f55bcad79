#include "measure/coordination_record.hpp"

#include <algorithm>

namespace chimera::host {

endpoint_work& endpoint_work::operator+=(const endpoint_work& o) noexcept {
    task_ns += o.task_ns;
    driver_ns += o.driver_ns;
    serialize_ns += o.serialize_ns;
    network_ns += o.network_ns;
    decide_ns += o.decide_ns;
    messages += o.messages;
    frames += o.frames;
    writes += o.writes;
    bytes += o.bytes;
    lost += o.lost;
    return *this;
}

endpoint_work work_between(const chm_endpoint_stats& begin, const chm_endpoint_stats& end,
                           std::uint64_t task_ns) noexcept {
    return {.task_ns = task_ns,
            .driver_ns = end.driver_ns - begin.driver_ns,
            .serialize_ns = end.serialize_ns - begin.serialize_ns,
            .network_ns = end.network_ns - begin.network_ns,
            .decide_ns = end.decide_ns - begin.decide_ns,
            .messages = end.messages_sent - begin.messages_sent,
            .frames = end.frames_sent - begin.frames_sent,
            .writes = end.writes - begin.writes,
            .bytes = end.bytes_sent - begin.bytes_sent,
            .lost = end.lost - begin.lost};
}

coordination_figures figures_of(const coordination_record& r) noexcept {
    coordination_figures f;
    std::uint64_t begin = UINT64_MAX, end = 0;
    double cycles = 0, members = 0;
    endpoint_work work = r.hub.work;
    for (const endpoint_record& m : r.members) {
        work += m.work;
        f.decisions += m.decisions.size();
        f.aborted += static_cast<std::size_t>(
            std::ranges::count(m.decisions, std::uint32_t{CHM_ABORTED}, &decision_sample::outcome));
        if (m.end == 0) continue;
        begin = std::min(begin, m.begin);
        end = std::max(end, m.end);
        cycles += static_cast<double>(m.cycles_ms.size());
        f.messages_ms += m.messages_ms;
        f.decisions_ms += m.decisions_ms;
        ++members;
    }
    if (cycles == 0) return f;
    const double hundred = 100 / (cycles / members); // the members cycle side by side
    const auto per_hundred = [hundred](double ns) { return ns / 1e6 * hundred; };
    f.messages_ms *= hundred / members;
    f.decisions_ms *= hundred / members;
    f.total_ms = per_hundred(static_cast<double>(end - begin));
    f.network_ms = per_hundred(static_cast<double>(work.network_ns));
    f.serialization_ms = per_hundred(static_cast<double>(work.serialize_ns));
    f.consensus_ms = per_hundred(static_cast<double>(work.decide_ns));
    const double all = per_hundred(static_cast<double>(work.task_ns + work.driver_ns));
    f.handling_ms = std::max(0.0, all - f.network_ms - f.serialization_ms - f.consensus_ms);
    f.wait_ms = std::max(0.0, f.total_ms - std::max(all, f.network_ms + f.serialization_ms + f.consensus_ms));
    return f;
}

} // namespace chimera::host
