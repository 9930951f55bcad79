// The results of the original reports, turned into a study that says what was and what was not measured.
#pragma once

#include "tr115/place.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

struct import_outcome {
    std::size_t runs = 0, runtimes = 0, configs = 0;
    std::vector<std::string> warnings; ///< what does not agree with itself, and what was left out
};

/// Reads the trees that the reports' programs wrote and writes them to `out` as one sweep with the source "tr115".
///
/// No agent ever ran alone there, so efficiency, speedup and inflation are not measured; efficiency_percent of the
/// originals, (t_A + t_B) / (2 wall) with both durations from the concurrent run, is recomputed as the estimate that it
/// is, and compared with what the file says.
///
/// Layouts: place.hpp has where metrics.json are. Of a run that only a summary.json knows, that is taken: of the
/// programs in Rust, or in Python. Other files are ignored. Cells are in the order of time, as far as the files tell it
/// (configurations.hpp). sweep.json is written last.
///
/// Throws results_error with every fault found before anything is written, also where `out` holds a sweep already, lies
/// in a tree or around it, or holds a metrics.json of another origin where one would be written, and where two runs
/// would get the same folder; std::system_error where it cannot be written.
import_outcome import_tr115(const std::vector<std::filesystem::path>& trees, const std::filesystem::path& out,
                            const std::vector<named_runtime>& = {});

} // namespace chimera::host
