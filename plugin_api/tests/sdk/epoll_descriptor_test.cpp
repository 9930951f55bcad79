// The SDK's reactor inside another loop: its descriptor is readable exactly when a turn would find something.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "chimera/sdk/epoll_reactor.hpp"
#include "chimera/sdk/reactor.hpp"
#include "counted_waker.hpp"

using namespace chimera::sdk;

namespace {

bool readable(const epoll_reactor& r, int wait_ms) {
    pollfd p{r.descriptor(), POLLIN, 0};
    return ::poll(&p, 1, wait_ms) == 1;
}

} // namespace

TEST_CASE("the descriptor tells of data, timers and interrupts, each once") {
    constexpr int long_ms = 20'000;
    epoll_reactor r;
    CHECK_FALSE(readable(r, 0));

    r.interrupt();
    CHECK(readable(r, long_ms));
    r.turn(0);
    CHECK_FALSE(readable(r, 0));

    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const owned_fd near(ends[0]), far(ends[1]);
    counted_waker waiting;
    {
        io watched(&r, near.get());
        REQUIRE(watched.poll(CHM_IO_READ, &waiting) == 0);
        r.turn(0); // the room to write, which every registration reports first
        CHECK_FALSE(readable(r, 0));
        REQUIRE(::send(far.get(), "x", 1, 0) == 1);
        CHECK(readable(r, long_ms));
        r.turn(0);
        CHECK(waiting.wakes == 1);
        CHECK_FALSE(readable(r, 0)); // though nobody has read: a loop that watches it does not spin
    }

    timer alarm(&r);
    CHECK_FALSE(alarm.poll(now_ns() + 5'000'000, &waiting));
    while (waiting.wakes < 2) {
        REQUIRE(readable(r, long_ms));
        r.turn(0);
    }
    CHECK_FALSE(readable(r, 0));
    CHECK(waiting.references == 0);
}
