// `chimera-host inspect`: everything about one plugin file.
#pragma once

#include "cli/exit_status.hpp"

#include <string>

namespace chimera::host {

struct inspect_arguments {
    std::string plugin; ///< a file, or the id of a plugin on the search path
    bool json = false;
    bool allow_untrusted = false;
};

/// Prints to standard output what is known, also of a file that cannot be used; why it cannot goes to standard error,
/// and with --json into the document too. The plugin runs in a child process, and only where nothing that is known of
/// the file speaks against it. Exit status: bad_input where it cannot be used.
exit_status inspect_command(const inspect_arguments&);

} // namespace chimera::host
