#include "counted_calls.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace chimera::h2::test {

call_counts& calls() noexcept {
    static thread_local constinit call_counts counts;
    return counts;
}

} // namespace chimera::h2::test

using chimera::h2::test::calls;

// These take the place of libc's, also for the plugins.
extern "C" {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* __libc_malloc(std::size_t); // NOLINT
void* malloc(std::size_t size) {
    ++calls().allocations;
    return __libc_malloc(size);
}
#endif
ssize_t recv(int fd, void* to, std::size_t size, int flags) {
    ++calls().receives;
    return ::syscall(SYS_recvfrom, fd, to, size, flags, nullptr, nullptr);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
    ++calls().receives;
    return ::syscall(SYS_recvmsg, fd, message, flags);
}
ssize_t send(int fd, const void* from, std::size_t size, int flags) {
    ++calls().sends;
    return ::syscall(SYS_sendto, fd, from, size, flags, nullptr, 0);
}
}
