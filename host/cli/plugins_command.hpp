// `chimera-host plugins`: what can be loaded from where, with its options.
#pragma once

#include "cli/exit_status.hpp"

namespace chimera::host {

/// Prints to standard output. A file that cannot be used is listed with the reason; that is no failure. Plugins run in
/// child processes only.
exit_status plugins_command(bool as_json, bool allow_untrusted);

} // namespace chimera::host
