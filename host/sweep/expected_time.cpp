#include "sweep/expected_time.hpp"

#include <fmt/format.h>

#include <cmath>

namespace chimera::host {

void cell_times::add(const cell_result& e) {
    if (!e.wall_s || (e.status != cell_status::ok && e.status != cell_status::timed_out)) return;
    for (total* t : {&of_group_[{e.runtime, e.config}], &of_config_[e.config], &all_}) {
        t->seconds += *e.wall_s;
        ++t->cells;
    }
}

std::optional<double> cell_times::expected_s(const std::string& runtime, const std::string& config) const {
    if (all_.cells == 0) return std::nullopt;
    const total* best = &all_;
    if (const auto found = of_config_.find(config); found != of_config_.end()) best = &found->second;
    if (const auto found = of_group_.find({runtime, config}); found != of_group_.end()) best = &found->second;
    return best->seconds / static_cast<double>(best->cells);
}

std::string duration_in_words(double seconds) {
    if (seconds < 90) return fmt::format("{:.0f} s", seconds);
    const auto minutes = static_cast<long>(std::lround(seconds / 60));
    if (minutes < 90) return fmt::format("{} min", minutes);
    return minutes % 60 == 0 ? fmt::format("{} h", minutes / 60)
                             : fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

} // namespace chimera::host
