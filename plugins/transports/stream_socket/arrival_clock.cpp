#include "arrival_clock.hpp"

#include <algorithm>
#include <ctime>
#include <limits>

#include "chimera/sdk/clock.hpp"

namespace chimera::stream_socket {

namespace {

constexpr std::uint64_t good_for_ns = 1'000'000'000;

std::int64_t nanoseconds(const timespec& t) noexcept { return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

} // namespace

std::uint64_t arrival_clock::monotonic(std::uint64_t stamp_ns, std::uint64_t not_before_ns,
                                       std::uint64_t now_ns) noexcept {
    if (stamp_ns == 0) return 0;
    if (now_ns - measured_ns_ > good_for_ns) measure();
    const auto converted =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, static_cast<std::int64_t>(stamp_ns) - distance_ns_));
    latest_ns_ = std::min(now_ns, std::max({converted, not_before_ns, latest_ns_}));
    return latest_ns_;
}

/// The realtime reading lies between two monotonic ones. Of a few tries the closest pair counts: one in which the
/// thread was preempted is wide, and wrong by up to half its width.
void arrival_clock::measure() noexcept {
    auto closest = std::numeric_limits<std::uint64_t>::max();
    for (int i = 0; i < 3; ++i) {
        timespec real{};
        const std::uint64_t before = sdk::now_ns();
        clock_gettime(CLOCK_REALTIME, &real);
        measured_ns_ = sdk::now_ns();
        if (measured_ns_ - before >= closest) continue;
        closest = measured_ns_ - before;
        distance_ns_ = nanoseconds(real) - static_cast<std::int64_t>(before + closest / 2);
    }
}

} // namespace chimera::stream_socket
