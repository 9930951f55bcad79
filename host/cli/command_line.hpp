// chimera-host as a function: what main() is, for tests to call.
#pragma once

namespace chimera::host {

/// [main thread, once] Parses the arguments and runs the command. Overwrites secrets in the arguments and takes
/// CHIMERA_API_KEY out of the environment. Never throws. Returns the exit status (see exit_status).
int run_command_line(int argc, char** argv);

} // namespace chimera::host
