#include "measure/path_split.hpp"

#include <algorithm>

namespace chimera::host {
namespace {

double length(const interval& i) { return i.end > i.begin ? static_cast<double>(i.end - i.begin) : 0; }

/// How much of the agent's late polls inside the window some other poll held a worker, or an earlier one of its own.
double blocked_within(const agent_record& a, const std::vector<interval>& held, interval window) {
    double sum = 0;
    for (const late_poll& l : a.late_polls)
        sum += static_cast<double>(covered(held, {std::max(l.runnable, window.begin), std::min(l.polled, window.end)}));
    return sum;
}

} // namespace

path_split& path_split::operator+=(const path_split& o) noexcept {
    scheduling += o.scheduling;
    blocked += o.blocked;
    transport += o.transport;
    head_of_line += o.head_of_line;
    parsing += o.parsing;
    work += o.work;
    coordination += o.coordination;
    server += o.server;
    return *this;
}

path_split& path_split::operator-=(const path_split& o) noexcept {
    scheduling -= o.scheduling;
    blocked -= o.blocked;
    transport -= o.transport;
    head_of_line -= o.head_of_line;
    parsing -= o.parsing;
    work -= o.work;
    coordination -= o.coordination;
    server -= o.server;
    return *this;
}

path_split split_path(const agent_record& a, const std::vector<interval>& held) {
    path_split split;
    // A delay. A held worker may be the cause of a part of it.
    const auto delay = [&split](double all, double blocked) {
        blocked = std::min(all, blocked);
        split.blocked += blocked;
        split.scheduling += all - blocked;
    };
    double in_requests = 0, blocked_between = 0;
    nanoseconds_t free_since = a.start;
    for (const request_record& r : a.requests) {
        blocked_between += blocked_within(a, held, {free_since, r.dispatched});
        free_since = r.over();
        in_requests += length({r.dispatched, r.over()});

        const interval sending{r.dispatched, std::clamp(r.sent, r.dispatched, r.done)};
        const double waiting = std::min(static_cast<double>(r.sending_delay), length(sending));
        delay(waiting, blocked_within(a, held, sending));
        const double redirecting = std::min(static_cast<double>(r.redirecting), length(sending) - waiting);
        split.server += redirecting;
        split.transport += length(sending) - waiting - redirecting;

        const nanoseconds_t arrived = std::clamp(r.arrived ? r.arrived : r.done, sending.end, r.done);
        const nanoseconds_t polled = std::clamp(r.polled, arrived, r.done);
        const nanoseconds_t delivered = std::clamp(r.delivered, polled, r.done);
        const nanoseconds_t reached = arrived + std::min(r.behind_others, delivered - arrived);
        split.head_of_line += length({arrived, reached});
        delay(length({reached, polled}), static_cast<double>(covered(held, {reached, polled})));
        split.transport += length({std::max(reached, polled), delivered});
        split.parsing += length({delivered, r.done});
        split.server += length({sending.end, arrived});

        const interval draining{r.done, r.over()};
        const double late = std::min(static_cast<double>(r.drain_delay), length(draining));
        delay(late, blocked_within(a, held, draining));
        split.server += length(draining) - late;
    }
    blocked_between += blocked_within(a, held, {free_since, a.end});
    const double between = static_cast<double>(a.duration()) - in_requests;
    const double late = std::min(static_cast<double>(a.work_delay), between);
    delay(late, blocked_between);
    split.coordination = std::min(static_cast<double>(a.coordinating), between - late);
    split.work = between - late - split.coordination;
    return split;
}

} // namespace chimera::host
