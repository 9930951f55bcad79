// What the process's exit status says.
#pragma once

namespace chimera::host {

/// Documented in docs/output.md.
enum class exit_status : int {
    success = 0,
    some_failed = 1, ///< some requests failed, or the time limit passed, or an alert tripped that was to fail
    regression = 1,  ///< `compare`: a metric is worse by more than was allowed, or more runs failed
    broken_rule = 1, ///< `validate`: the plugin broke a rule of the contract
    bad_input = 2,   ///< command line, profile or plugin file, or results that are damaged or not all there
    set_up =
        3, ///< the input was good, but an executor, a transport, a simulator or the output folder was not to be had
    all_failed = 4,   ///< every request failed
    interrupted = 130 ///< Ctrl-C or SIGTERM
};

} // namespace chimera::host
