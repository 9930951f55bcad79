// A study in memory: one metric, values by runtime and configuration.
#pragma once

#include "study/analysis.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace chimera::test {

class made_study {
  public:
    explicit made_study(std::string metric = "efficiency_pct") : metric_(std::move(metric)) {
        s_.name = "made";
        s_.sweep = true;
    }

    /// Adds runs of two agents with these values.
    made_study& add(const std::string& runtime, const std::string& config, const std::vector<double>& values) {
        return add(metric_, runtime, config, values);
    }
    /// Gives these runs a value of another metric; runs that are not there yet are made.
    made_study& add(const std::string& metric, const std::string& runtime, const std::string& config,
                    const std::vector<double>& values) {
        const auto has = [](const auto& items, const std::string& name) {
            return std::ranges::any_of(items, [&](const auto& item) { return item.name == name; });
        };
        if (!has(s_.runtimes, runtime)) s_.runtimes.push_back({runtime, {}, {}, {}, {}});
        if (!has(s_.configs, config)) s_.configs.push_back({config});
        s_.definitions[metric] = host::definition_of(*host::figure_named(metric), host::provenance::measured);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const int number = static_cast<int>(i) + 1;
            auto run = std::ranges::find_if(s_.runs, [&](const host::study_run& r) {
                return r.runtime == runtime && r.config == config && r.number == number;
            });
            if (run == s_.runs.end()) {
                host::study_run fresh;
                fresh.runtime = runtime;
                fresh.config = config;
                fresh.number = number;
                fresh.result.concurrent.agents.resize(2);
                run = s_.runs.insert(s_.runs.end(), std::move(fresh));
            }
            run->result.values[metric] = values[i];
        }
        return *this;
    }

    host::study& study() { return s_; }

  private:
    std::string metric_;
    host::study s_;
};

} // namespace chimera::test
