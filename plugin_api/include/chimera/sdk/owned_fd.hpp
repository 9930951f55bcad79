// A file descriptor that is closed when its owner goes.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace chimera::sdk {

/// Movable owner of a file descriptor; -1 is none. Deregister it from any reactor before it is closed.
class owned_fd {
  public:
    owned_fd() noexcept = default;
    /// Takes over a descriptor; -1 is none.
    explicit owned_fd(int fd) noexcept : fd_(fd) {}
    /// Takes the result of a system call; throws std::system_error naming `what` when it is negative.
    static owned_fd checked(int fd, const char* what) {
        if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
        return owned_fd(fd);
    }
    /// Moves: the other one is empty afterwards.
    owned_fd(owned_fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
    /// Swaps the two.
    owned_fd& operator=(owned_fd&& o) noexcept {
        std::swap(fd_, o.fd_);
        return *this;
    }
    ~owned_fd() { reset(); }

    /// The descriptor, still owned here; -1 when there is none.
    int get() const noexcept { return fd_; }
    /// True if there is one.
    explicit operator bool() const noexcept { return fd_ >= 0; }
    /// The descriptor, which is the caller's from now on; -1 when there was none.
    int release() noexcept { return std::exchange(fd_, -1); }
    /// Closes it, if there is one.
    void reset() noexcept {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

  private:
    int fd_ = -1;
};

} // namespace chimera::sdk
