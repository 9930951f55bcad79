#include "process/standard_streams.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace chimera::host {

void open_standard_streams() {
    constexpr int set_up_failed = 3; // docs/output.md
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        // The lowest free number is the one that is given: the streams below are open by now.
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) != fd) _exit(set_up_failed);
    std::signal(SIGXFSZ, SIG_IGN);
}

} // namespace chimera::host
