// A forked child that tells something and may crash, hang or leave at any moment.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace chimera::conformance {

/// The output of a child, and how it ended.
struct forked_end {
    std::string told;
    bool in_time = true; ///< false: it was killed at the end of its time
    int status = 0;      ///< as waitpid has it
    double seconds = 0;
};

/// [no other thread running, so that no lock is held in the child] Runs body in a forked child for at most `limit`
/// and collects what it writes to the descriptor `out`. The child ends with status 0 and without destructors when body
/// returns, and dies with this thread. Throws std::system_error when it cannot be started.
forked_end run_forked(const std::function<void(int out)>& body, std::chrono::milliseconds limit);

} // namespace chimera::conformance
