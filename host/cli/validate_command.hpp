// `chimera-host validate`: does a plugin keep the contract?
#pragma once

#include "cli/exit_status.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace chimera::host {

struct validate_arguments {
    std::string plugin; ///< a file, or an id on the search path
    std::vector<std::string> globs{"*"};
    std::vector<std::string> options; ///< KEY=VALUE each
    std::string executor;             ///< plugin under a transport; empty: the kit's own
    std::string foreign = "thread_pool", transport = "socket";
    std::string over; ///< "tcp", "unix" or "tls": over what a transport is tried; empty: the first that it offers
    unsigned limit_s = 30;
    std::uint64_t seed = 1;
    bool list = false;
    bool only_failed = false; ///< of cases that ran, show those that did not pass
    bool fail_fast = false;   ///< end after the first that failed, crashed or hung
    bool in_process = false;
    bool verbose = false;
    bool allow_untrusted = false;
    bool json = false;
};

/// [main thread, with no other thread running: cases run in forked children] Prints each case's verdict as it comes, or
/// one JSON document at the end. broken_rule when a case failed, crashed or hung; bad_input, with a message on standard
/// error and in the document, when the plugin or the command is unusable. Throws result_file_error.
exit_status validate_command(const validate_arguments&);

} // namespace chimera::host
