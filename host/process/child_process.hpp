// Starting a process that is to end when we want it to.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace chimera::host {

/// Starts words[0] with the words as its arguments and these descriptors as its standard input, output and, unless -1,
/// error. It gets a process group of its own, so that Ctrl-C at the terminal reaches this process alone, which then
/// ends its children in order, and none of the signals that this thread blocks. Its environment is this process's and,
/// after it, `more`: words such as "NAME=value". Any thread; a child that asks for its parent's death signal ends with
/// the calling thread. Throws std::system_error.
pid_t spawn_child(std::vector<std::string> words, int in, int out, int err = -1, std::vector<std::string> more = {});

} // namespace chimera::host
