// chimera-host as a function: what main() is, for tests to call.
#pragma once

namespace chimera::host {

/// Parses the arguments and runs the command. Never throws. Returns the exit status (see exit_status).
int run_command_line(int argc, const char* const* argv);

} // namespace chimera::host
