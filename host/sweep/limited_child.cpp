#include "sweep/limited_child.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::host {

limited_child::limited_child(pid_t pid, clock::time_point deadline)
    : pid_(pid), deadline_(deadline), pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {
    if (pidfd_) return;
    const int why = errno;
    time_out();
    wait();
    throw std::system_error(why, std::generic_category(), "pidfd_open");
}

limited_child::limited_child(limited_child&& o) noexcept
    : pid_(std::exchange(o.pid_, -1)), deadline_(o.deadline_), timed_out_(o.timed_out_), pidfd_(std::move(o.pidfd_)) {}

limited_child& limited_child::operator=(limited_child&& o) noexcept {
    std::swap(pid_, o.pid_);
    std::swap(deadline_, o.deadline_);
    std::swap(timed_out_, o.timed_out_);
    std::swap(pidfd_, o.pidfd_);
    return *this;
}

limited_child::~limited_child() {
    if (pid_ < 0) return;
    kill(-pid_, SIGTERM);
    pollfd p{pidfd_.get(), POLLIN, 0};
    if (poll(&p, 1, 2000) <= 0) kill(-pid_, SIGKILL);
    wait();
}

void limited_child::time_out() {
    timed_out_ = true;
    kill(-pid_, SIGKILL);
}

int limited_child::wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
}

} // namespace chimera::host
