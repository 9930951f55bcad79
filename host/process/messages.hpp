// Messages of this process to the person who started it.
#pragma once

#include <string>
#include <string_view>

namespace chimera::host {

/// Writes a message and a line end to standard error, its line ends kept, its other control characters escaped
/// (printable()), its secrets replaced (redacted()). What cannot be written is lost: nothing is thrown. Any thread;
/// lines of several threads do not mix.
void say(std::string_view message);

/// The message, and where it tells of a resource that ran out, the limit of this process behind it, such as "(ulimit -n
/// allows 64 open files)". Also where a plugin or a library wrote the message.
std::string with_limit(std::string message);

} // namespace chimera::host
