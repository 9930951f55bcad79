// `chimera-host compare`: do two or more results differ, and is one worse?
#pragma once

#include "cli/exit_status.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

struct compare_arguments {
    std::vector<std::filesystem::path> results; ///< two or more; the first is what the others are held against
    std::vector<std::string> metrics;           ///< empty: the usual ones
    std::optional<double> fail_on_regression;   ///< percent
    bool json = false;
};

/// Prints to standard output, warnings to standard error. exit_status::regression where a metric of another than the
/// first is worse by more than fail_on_regression and the difference is detectable, or where a higher share of its runs
/// failed; otherwise exit_status::bad_input where runs or files are missing or damaged: the others were compared.
/// Throws study_error (bad input).
exit_status compare_command(const compare_arguments&);

} // namespace chimera::host
