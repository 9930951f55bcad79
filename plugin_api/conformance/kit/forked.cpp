#include "forked.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "chimera/sdk/owned_fd.hpp"

namespace chimera::conformance {

namespace {

using steady = std::chrono::steady_clock;

/// Reads the output of the child until it ends. False: its time was over first.
/// Rationale: a closed pipe is not an ended child, and a child of the child may keep the pipe open.
bool listen(int in, int ended, steady::time_point end, std::string& told) {
    pollfd fds[2] = {{in, POLLIN, 0}, {ended, POLLIN, 0}};
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - steady::now()).count();
        if (left <= 0) return false;
        if (::poll(fds, 2, static_cast<int>(left)) <= 0) continue;
        if (fds[0].revents != 0) {
            char buffer[4096];
            const ssize_t n = ::read(in, buffer, sizeof buffer);
            if (n > 0) told.append(buffer, static_cast<std::size_t>(n));
            if (n == 0) fds[0].fd = -1;
        } else if (fds[1].revents != 0) {
            return true;
        }
    }
}

} // namespace

forked_end run_forked(const std::function<void(int out)>& body, std::chrono::milliseconds limit) {
    int ends[2];
    sdk::owned_fd in = sdk::owned_fd::checked(::pipe2(ends, O_CLOEXEC) < 0 ? -1 : ends[0], "pipe2");
    sdk::owned_fd out(ends[1]);
    std::fflush(nullptr); // or both would write it
    const auto start = steady::now();
    const pid_t parent = ::getpid(), child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        in.reset();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const auto run = [&]() noexcept { body(out.get()); };
        if (::getppid() == parent) run();
        ::_exit(0);
    }
    out.reset();
    const sdk::owned_fd ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    forked_end end;
    end.in_time = listen(in.get(), ended.get(), start + limit, end.told);
    if (!end.in_time) ::kill(child, SIGKILL);
    while (::waitpid(child, &end.status, 0) < 0 && errno == EINTR) {
    }
    end.seconds = std::chrono::duration<double>(steady::now() - start).count();
    return end;
}

} // namespace chimera::conformance
