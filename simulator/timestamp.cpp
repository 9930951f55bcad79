#include "timestamp.hpp"

#include <cstring>

namespace chimera::sim {

wall_clock::wall_clock() { read_offset(); }

void wall_clock::read_offset() {
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    offset_ = std::int64_t{wall.tv_sec} * 1'000'000'000 + wall.tv_nsec - monotonic_ns();
}

void wall_clock::format(std::int64_t monotonic, char* out) {
    constexpr std::int64_t billion = 1'000'000'000;
    if (unix_seconds(monotonic) != second_) {
        read_offset();
        second_ = unix_seconds(monotonic);
        const std::time_t seconds = second_;
        std::tm parts{};
        gmtime_r(&seconds, &parts);
        std::strftime(text_, sizeof text_, "%Y-%m-%dT%H:%M:%S.", &parts);
    }
    constexpr std::size_t to_fraction = 20;
    std::memcpy(out, text_, to_fraction);
    auto fraction = static_cast<std::uint64_t>((monotonic + offset_) % billion);
    for (std::size_t digit = to_fraction + 9; digit-- > to_fraction;) {
        out[digit] = static_cast<char>('0' + fraction % 10);
        fraction /= 10;
    }
    out[text_size - 1] = 'Z';
}

} // namespace chimera::sim
