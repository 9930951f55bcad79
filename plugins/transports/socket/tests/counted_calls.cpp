#include "counted_calls.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <new>

namespace chimera::socket::test {

call_counts& calls() noexcept {
    static thread_local constinit call_counts counts;
    return counts;
}

namespace {
std::atomic<bool> resolver_held{false}, resolver_asked{false};
std::atomic<int> realtime_shift_s{0};
} // namespace

held_resolver::held_resolver() noexcept {
    resolver_asked = false;
    resolver_held = true;
}
held_resolver::~held_resolver() {
    resolver_held = false;
    resolver_held.notify_all();
}
void held_resolver::wait_until_asked() const noexcept { resolver_asked.wait(false); }

shifted_realtime::shifted_realtime(int seconds) noexcept { realtime_shift_s = seconds; }
shifted_realtime::~shifted_realtime() { realtime_shift_s = 0; }

static void wait_for_resolver() noexcept {
    resolver_asked = true;
    resolver_asked.notify_all();
    resolver_held.wait(true);
}

} // namespace chimera::socket::test

using chimera::socket::test::calls;

namespace {

/// The function that ours stands before: a sanitizer's, which knows what is ordered by a descriptor, or libc's.
template <class Function>
Function* next(const char* name) noexcept {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

} // namespace

extern "C" {

ssize_t recv(int fd, void* to, size_t n, int flags) {
    ++calls().receives;
    static auto* const real = next<ssize_t(int, void*, std::size_t, int)>("recv");
    return real(fd, to, n, flags);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
    ++calls().receives;
    static auto* const real = next<ssize_t(int, msghdr*, int)>("recvmsg");
    return real(fd, message, flags);
}

int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
    chimera::socket::test::wait_for_resolver();
    static auto* const real = next<int(const char*, const char*, const addrinfo*, addrinfo**)>("getaddrinfo");
    return real(name, service, hints, found);
}

int clock_gettime(clockid_t clock, timespec* t) noexcept {
    ++calls().clock_reads;
    const auto rc = static_cast<int>(syscall(SYS_clock_gettime, clock, t));
    if (clock == CLOCK_REALTIME) t->tv_sec += chimera::socket::test::realtime_shift_s;
    return rc;
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
    ++calls().registrations;
    static auto* const real = next<int(int, int, int, epoll_event*)>("epoll_ctl");
    const int rc = real(epoll, operation, fd, event);
    if (rc < 0 && operation == EPOLL_CTL_DEL) ++calls().failed_deregistrations;
    return rc;
}

int timerfd_settime(int fd, int flags, const itimerspec* next, itimerspec* last) noexcept {
    ++calls().alarms;
    return static_cast<int>(syscall(SYS_timerfd_settime, fd, flags, next, last));
}

} // extern "C"

namespace {

void* taken(std::size_t n) noexcept {
    ++calls().allocations;
    void* const p = std::malloc(n != 0 ? n : 1);
    if (p) calls().held_bytes += static_cast<std::int64_t>(malloc_usable_size(p));
    return p;
}
void given_back(void* p) noexcept {
    if (p) calls().held_bytes -= static_cast<std::int64_t>(malloc_usable_size(p));
    std::free(p);
}

} // namespace

void* operator new(std::size_t n) {
    if (void* p = taken(n)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return taken(n); }
void operator delete(void* p) noexcept { given_back(p); }
void operator delete(void* p, std::size_t) noexcept { given_back(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { given_back(p); }
