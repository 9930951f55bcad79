// `chimera-host report`: results, analysed and rendered.
#pragma once

#include "cli/exit_status.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

struct report_arguments {
    std::filesystem::path results;
    std::string format = "md";
    std::string only;             ///< shell pattern of the runs that are analysed; empty: all
    std::filesystem::path output; ///< empty: standard output
};

/// The values of --format.
std::vector<std::string> report_formats();

/// exit_status::bad_input where runs or files are missing or damaged: the report is about the others and says so, as
/// standard error does. Throws study_error (bad input); std::system_error where the output cannot be written (set-up).
exit_status report_command(const report_arguments&);

} // namespace chimera::host
