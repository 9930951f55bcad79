// Sets of intervals of time.
#pragma once

#include "measure/timeline.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace chimera::host {

/// [begin, end); empty where end does not lie after begin.
struct interval {
    nanoseconds_t begin = 0, end = 0;
};

/// The union, sorted and without overlap.
inline std::vector<interval> merged(std::vector<interval> all) {
    std::ranges::sort(all, {}, &interval::begin);
    std::vector<interval> out;
    for (const interval& i : all) {
        if (i.end <= i.begin) continue;
        if (!out.empty() && i.begin <= out.back().end)
            out.back().end = std::max(out.back().end, i.end);
        else
            out.push_back(i);
    }
    return out;
}

/// How much of the window a merged set covers, ns.
inline nanoseconds_t covered(const std::vector<interval>& set, interval window) {
    nanoseconds_t sum = 0;
    auto i = std::ranges::upper_bound(set, window.begin, {}, &interval::end);
    for (; i != set.end() && i->begin < window.end; ++i) {
        const nanoseconds_t begin = std::max(i->begin, window.begin), end = std::min(i->end, window.end);
        if (end > begin) sum += end - begin;
    }
    return sum;
}

/// When polls of the execution's agents, but for one of them, held a worker for longer than the threshold.
inline std::vector<interval> long_polls_of(const execution_record& x, const agent_record* except = nullptr) {
    std::vector<interval> polls;
    for (const agent_record& a : x.agents)
        if (&a != except)
            for (const long_poll& p : a.long_polls) polls.push_back({p.begin, p.end});
    return merged(std::move(polls));
}

} // namespace chimera::host
