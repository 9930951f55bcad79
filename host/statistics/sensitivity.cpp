#include "statistics/sensitivity.hpp"

#include "statistics/moments.hpp"

#include <algorithm>
#include <cmath>

namespace chimera::host::statistics {

std::optional<parameter_effect> effect_of(std::span<const sample> levels) {
    if (levels.size() < 2 || std::ranges::any_of(levels, &sample::empty)) return std::nullopt;
    std::vector<double> all;
    for (const sample level : levels) all.insert(all.end(), level.begin(), level.end());
    const double grand_mean = moments_of(all).mean;

    parameter_effect effect{{}, std::nullopt, 0};
    double between = 0, within = 0;
    for (const sample level : levels) {
        const moments m = moments_of(level);
        between += m.n * (m.mean - grand_mean) * (m.mean - grand_mean);
        within += m.squares;
        effect.levels.push_back(describe(level));
    }
    if (between > 0) effect.eta_squared = between / (between + within);
    const auto [lowest, highest] = std::ranges::minmax(effect.levels, {}, &description::mean);
    if (grand_mean != 0) effect.range_pct = (highest.mean - lowest.mean) / std::abs(grand_mean) * 100;
    return effect;
}

} // namespace chimera::host::statistics
