// `chimera-host import`: results of other programs, made readable for report and compare.
#pragma once

#include "cli/exit_status.hpp"

#include <filesystem>

namespace chimera::host {

/// `import tr115`: the original reports' results. Prints what was imported to standard output and what does not agree
/// to standard error. Throws study_error (bad input); std::system_error where the output cannot be written (set-up).
exit_status import_tr115_command(const std::filesystem::path& tree, const std::filesystem::path& output_dir);

} // namespace chimera::host
