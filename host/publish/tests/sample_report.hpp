// A report of a small sweep, and of one from which much is missing.
#pragma once

#include "sample_sweep.hpp"
#include "study/analysis.hpp"

namespace chimera::test {

inline host::study_report report_of(const std::filesystem::path& results) {
    host::study s = host::load_study(results);
    host::read_requests(s);
    return host::report_of(s, "chimera-host test");
}

/// Runtimes of these names in configurations "plain" and "tuned, \"hard\"", two runs each, without a baseline where
/// asked.
inline host::study_report sample_report(std::vector<std::string> runtimes, bool with_baseline = true) {
    const temporary_folder f;
    const std::vector<std::string> configs{"plain", "tuned, \"hard\""};
    sample_sweep sweep(f, "sweep", runtimes, {{configs[0], {{"num_gpu", 80}}}, {configs[1], {{"num_ctx", 512}}}});
    for (const std::string& r : runtimes)
        for (const std::string& c : configs)
            for (int run = 1; run <= 2; ++run)
                sweep.add(r, c, run, sample_pair{.collector_ms = 80.0 + run, .with_baseline = with_baseline});
    return report_of(sweep.write());
}

} // namespace chimera::test
