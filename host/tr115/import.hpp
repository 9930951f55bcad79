// The results of the original reports, turned into a study that says what was and what was not measured.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

struct import_outcome {
    std::size_t runs = 0, runtimes = 0, configs = 0;
    std::vector<std::string> warnings; ///< what does not agree with itself, and what was left out
};

/// Reads the tree that the reports' programs wrote and writes it to `out` as a sweep with the source "tr115".
///
/// No agent ever ran alone there, so efficiency, speedup and inflation are not measured; efficiency_percent of the
/// originals, (t_A + t_B) / (2 wall) with both durations from the concurrent run, is recomputed as the estimate that it
/// is, and compared with what the file says.
///
/// Layouts: [results/]<runtime>/<config>/run_N[/run_M]/metrics.json, and <config>/run_N/metrics.json, where the runtime
/// is named for the folder; a leading "runtime-" is dropped. Of a run that only a summary.json knows, that is taken.
/// Other files are ignored. sweep.json is written last. Throws results_error with every fault found before anything is
/// written, also where `out` holds a sweep already, lies in the tree or around it, or holds a metrics.json of another
/// origin where one would be written; std::system_error where it cannot be written.
import_outcome import_tr115(const std::filesystem::path& tree, const std::filesystem::path& out);

} // namespace chimera::host
