#include "study/part.hpp"

#include "study/results_json.hpp"

#include <fmt/format.h>

#include <fnmatch.h>

#include <algorithm>

namespace chimera::host {

study part_of(study whole, const std::string& glob) {
    const auto matches = [&glob](const std::string& name) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; };
    const std::string example = whole.runs.empty() ? "" : whole.runs[0].runtime + "/" + whole.runs[0].config;
    std::erase_if(whole.runs, [&](const study_run& r) {
        const std::string group = r.runtime + "/" + r.config;
        return !matches(group) && !matches(fmt::format("{}/run_{}", group, r.number));
    });
    if (whole.runs.empty())
        throw study_error(fmt::format("--only '{}': matches none of the runs, such as those of '{}'", glob, example));
    std::erase_if(whole.runtimes, [&](const study_runtime& t) {
        return std::ranges::find(whole.runs, t.name, &study_run::runtime) == whole.runs.end();
    });
    std::erase_if(whole.configs, [&](const study_config& c) {
        return std::ranges::find(whole.runs, c.name, &study_run::config) == whole.runs.end();
    });
    whole.cells_planned = whole.runs.size(); // of the others nothing is said
    whole.cells_not_needed = 0;
    return whole;
}

} // namespace chimera::host
