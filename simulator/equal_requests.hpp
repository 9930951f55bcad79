#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace chimera::sim {

/// Numbers requests that are equal and decode at the same time: each has the lowest number that none of the others has,
/// so one that is alone has 0, whatever came before it.
class equal_requests {
  public:
    /// seed: the same for equal requests.
    std::uint32_t enter(std::uint64_t seed) {
        auto& taken = taken_[seed];
        const auto free = std::ranges::find(taken, false);
        const auto number = static_cast<std::uint32_t>(free - taken.begin());
        if (free == taken.end()) taken.push_back(true);
        taken[number] = true;
        return number;
    }
    void leave(std::uint64_t seed, std::uint32_t number) {
        const auto found = taken_.find(seed);
        auto& taken = found->second;
        taken[number] = false;
        while (!taken.empty() && !taken.back()) taken.pop_back();
        if (taken.empty()) taken_.erase(found);
    }

  private:
    std::unordered_map<std::uint64_t, std::vector<bool>> taken_;
};

} // namespace chimera::sim
