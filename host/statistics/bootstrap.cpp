#include "statistics/bootstrap.hpp"

#include <algorithm>
#include <random>

namespace chimera::host::statistics {

std::optional<interval> bootstrap(std::span<const std::size_t> sizes,
                                  const std::function<std::optional<double>(resample)>& figure, std::uint64_t seed,
                                  unsigned draws) {
    const auto is_empty = [](std::size_t n) { return n == 0; };
    const auto varies = [](std::size_t n) { return n > 1; };
    if (std::ranges::any_of(sizes, is_empty) || std::ranges::none_of(sizes, varies)) return std::nullopt;
    // Not std::uniform_int_distribution, which libraries implement differently. The bias of the remainder is below
    // n / 2^64.
    std::mt19937_64 random(seed);
    std::vector<std::vector<std::size_t>> drawn;
    for (const std::size_t n : sizes) drawn.emplace_back(n);
    std::vector<double> figures;
    for (unsigned i = 0; i < draws; ++i) {
        for (std::vector<std::size_t>& group : drawn)
            for (std::size_t& member : group) member = random() % group.size();
        if (const auto value = figure(drawn)) figures.push_back(*value);
    }
    if (figures.size() * 2 < draws || figures.empty()) return std::nullopt;
    std::ranges::sort(figures);
    return interval{quantile(figures, 0.025), quantile(figures, 0.975)};
}

} // namespace chimera::host::statistics
