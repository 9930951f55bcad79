// Running a coroutine wherever a reactor may be used.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "chimera/sdk/owned_fd.hpp"
#include "chimera/sdk/reactor.hpp"
#include "environment.hpp"
#include "expect.hpp"

namespace chimera::conformance {

/// The body of a reactor case: a coroutine that throws failure when a rule is broken.
using reactor_body = sdk::task<void> (*)(chm_reactor*, environment&);

/// Runs the coroutine as a task of an executor, and then, where the reactor is for any thread, on a thread of the kit's
/// own that parks, beside the running executor. Throws skipped where there is no reactor. bare: it gets the
/// plugin's reactor itself, without the stand-in that watches.
void on_every_thread(environment&, reactor_body, bool bare = false);

/// Runs the coroutine as `tasks` tasks of one executor.
void inside_tasks(environment&, reactor_body, unsigned tasks = 1);

/// [not on a worker] Polls the coroutine to its end here; sleeps between wakes. Rethrows its exception.
void block_on(sdk::task<void>);

/// Lets the executor do something else for a while, until condition() holds; throws failure when it takes too long.
template <class Condition>
sdk::task<void> yield_until(Condition condition, std::string_view what, unsigned limit_s = 10) {
    const std::uint64_t limit = sdk::now_ns() + (sanitized ? 10 : 1) * limit_s * 1'000'000'000ULL;
    while (!condition()) {
        expect(sdk::now_ns() < limit, std::string("waited in vain: ") + std::string(what));
        sdk::yield_now once;
        co_await once;
    }
}

class socket_pair {
  public:
    socket_pair() {
        int ends[2];
        expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        near_ = sdk::owned_fd(ends[0]);
        far_ = sdk::owned_fd(ends[1]);
    }
    int near() const noexcept { return near_.get(); }
    int far() const noexcept { return far_.get(); }

    /// Sends from the far end; the buffers must have room.
    void send(std::string_view bytes) const {
        const ssize_t n = ::send(far(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        expect(n == static_cast<ssize_t>(bytes.size()), "the far end must be able to send");
    }
    /// The bytes at the near end; "" when there are none, or after the far end has closed.
    std::string receive(std::size_t cap = 4096) const {
        std::string buffer(cap, '\0');
        const ssize_t n = ::recv(near(), buffer.data(), cap, 0);
        buffer.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return buffer;
    }
    void close_far() noexcept { far_.reset(); }
    void close_near() noexcept { near_.reset(); }

    /// Waits until the near end has something, takes all of it and says so, in the order that the contract gives.
    sdk::task<std::string> read(sdk::io& io) const {
        for (;;) {
            const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
            std::string got = receive();
            io.drained(seen, CHM_IO_READ);
            if (!got.empty()) co_return got;
        }
    }

  private:
    sdk::owned_fd near_, far_;
};

} // namespace chimera::conformance
