// Starting child processes.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace chimera::host {

/// SIGPIPE and SIGXFSZ in a child.
enum class pipe_signals {
    inherited, ///< ignored if this process ignores them: for programs of ours
    restored   ///< they end it, as programs of others expect: `yes | head -1`
};

/// Starts the program words[0] with these words as its arguments and these descriptors as standard input, output and
/// error (-1: inherited). The child gets its own process group, so Ctrl-C at the terminal reaches only this process,
/// which then ends its children in order. No signal is blocked in the child. Its environment is this process's plus
/// `more`: words such as "NAME=value". Any thread; a child that asks for its parent's death signal ends with the
/// calling thread. Throws std::system_error.
pid_t spawn_child(std::vector<std::string> words, int in, int out, int err = -1, std::vector<std::string> more = {},
                  pipe_signals = pipe_signals::inherited);

} // namespace chimera::host
