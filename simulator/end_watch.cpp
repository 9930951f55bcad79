#include "end_watch.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::sim {

end_watch::end_watch(bool with_parent) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    signal_fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signal_fd_ < 0) {
        throw std::runtime_error(std::string("signalfd: ") + std::strerror(errno));
    }
    if (!with_parent) {
        return;
    }

    const auto parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    parent_already_gone_ = getppid() != parent;
    struct stat info {};
    if (fstat(STDIN_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))) {
        stdin_fd_ = STDIN_FILENO;
    }
}

end_watch::~end_watch() { close(signal_fd_); }

bool end_watch::stdin_ended() const {
    char ignored[256];
    const auto count = read(stdin_fd_, ignored, sizeof ignored);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

} // namespace chimera::sim
