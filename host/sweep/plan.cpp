#include "sweep/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>

#include <fnmatch.h>

namespace chimera::host {

std::vector<sweep_cell> plan_cells(const sweep_definition& sweep) {
    std::vector<sweep_cell> plan;
    std::mt19937_64 random(sweep.seed);
    for (int run = 1; run <= sweep.runs; ++run) {
        std::vector<sweep_cell> round;
        for (std::size_t r = 0; r < sweep.runtimes.size(); ++r)
            for (std::size_t c = 0; c < sweep.configs.size(); ++c) round.push_back({r, c, run});
        // Fisher and Yates, by hand: std::shuffle's order is not the same everywhere.
        for (std::size_t i = round.size(); i > 1; --i) std::swap(round[i - 1], round[random() % i]);
        plan.insert(plan.end(), round.begin(), round.end());
    }
    return plan;
}

std::string group_name(const sweep_definition& sweep, const sweep_cell& cell) {
    return sweep.runtimes.at(cell.runtime).name + "/" + sweep.configs.at(cell.config).name;
}

std::string cell_name(const sweep_definition& sweep, const sweep_cell& cell) {
    return fmt::format("{}/run_{}", group_name(sweep, cell), cell.run);
}

std::vector<sweep_cell> matching(const sweep_definition& sweep, const std::vector<sweep_cell>& cells,
                                 const std::string& glob) {
    std::vector<sweep_cell> out;
    std::ranges::copy_if(cells, std::back_inserter(out), [&](const sweep_cell& c) {
        return fnmatch(glob.c_str(), group_name(sweep, c).c_str(), 0) == 0 ||
               fnmatch(glob.c_str(), cell_name(sweep, c).c_str(), 0) == 0;
    });
    return out;
}

} // namespace chimera::host
