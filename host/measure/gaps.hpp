// The gaps between the content records of one response: the samples of ITL.
#pragma once

#include "measure/timeline.hpp"

namespace chimera::host {

/// Calls each(gap in ns, how many of that gap). Records that came in one piece have no gap between them: they were
/// there at once.
template <class F>
void for_each_gap(const agent_record& a, const request_record& r, F each) {
    nanoseconds_t previous = 0;
    for (std::size_t i = r.first_chunk; i < r.first_chunk + r.chunks; ++i) {
        const chunk_event& c = a.chunks[i];
        if (c.content_records == 0) continue;
        if (previous) each(c.delivered > previous ? c.delivered - previous : 0, std::size_t{1});
        if (c.content_records > 1) each(nanoseconds_t{0}, std::size_t{c.content_records - 1});
        previous = c.delivered;
    }
}

} // namespace chimera::host
