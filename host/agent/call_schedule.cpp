#include "agent/call_schedule.hpp"

#include <algorithm>

namespace chimera::host {

call_schedule::call_schedule(const workload_spec& workload, const schedule_place& place, nanoseconds_t begin)
    : workload_(workload), begin_(begin) {
    if (workload.arrivals == arrival_kind::poisson) random_ = std::make_unique<std::mt19937_64>(place.seed);
    const auto agents = static_cast<double>(place.agents), agent = static_cast<double>(place.agent);
    begin_ += static_cast<nanoseconds_t>(workload.ramp_ms * 1e6 * agent / agents);
    interval_ns_ = workload.arrivals == arrival_kind::closed ? 0 : 1e9 * agents / workload.rate_per_s;
    due_ns_ = workload.arrivals == arrival_kind::constant ? interval_ns_ * agent / agents : 0;
}

nanoseconds_t call_schedule::due(nanoseconds_t now) {
    if (workload_.arrivals == arrival_kind::closed)
        return made_ == 0 ? std::max(now, begin_) : now + static_cast<nanoseconds_t>(workload_.think_ms * 1e6);
    if (workload_.arrivals == arrival_kind::poisson)
        due_ns_ += std::exponential_distribution<>(1 / interval_ns_)(*random_);
    else if (made_ > 0)
        due_ns_ += interval_ns_;
    return begin_ + static_cast<nanoseconds_t>(due_ns_);
}

std::optional<nanoseconds_t> call_schedule::next(nanoseconds_t now) {
    if (workload_.duration_s <= 0 && made_ == workload_.calls_per_agent) return std::nullopt;
    const nanoseconds_t at = due(now);
    if (workload_.duration_s > 0 && at >= begin_ + static_cast<nanoseconds_t>(workload_.duration_s * 1e9))
        return std::nullopt;
    ++made_;
    return at;
}

} // namespace chimera::host
