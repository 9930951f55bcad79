// The signals that end a sweep in order. They are blocked, so they stay pending until somebody looks.
#pragma once

#include <csignal>

namespace chimera::host {

/// SIGINT and SIGTERM.
inline sigset_t ending_signals() noexcept {
    sigset_t out;
    sigemptyset(&out);
    sigaddset(&out, SIGINT);
    sigaddset(&out, SIGTERM);
    return out;
}

/// [take_over_signals was called] Whether one of them has come. It stays pending, so everybody who asks later gets the
/// same answer.
inline bool end_is_asked() noexcept {
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

} // namespace chimera::host
