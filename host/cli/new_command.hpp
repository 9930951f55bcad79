// `chimera-host new`: a folder in which a plugin of one's own begins.
#pragma once

#include "cli/exit_status.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>

namespace chimera::host {

struct new_arguments {
    std::string kind, name, lang = "cpp";
    std::filesystem::path folder; ///< empty: ./NAME
};

/// Nothing was written; what() says why and what to do.
struct new_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Copies the template of this kind and language, called by its new name, and prints what to do next. The folder is
/// there as a whole or not at all. Throws new_error for an argument that is not usable, and where the templates are not
/// installed, and result_file_error.
exit_status new_command(const new_arguments&);

} // namespace chimera::host
