// The SDK's reactor, driven by hand, and inside another loop. The conformance kit tries what any reactor must do.
#include "chimera/sdk/epoll_reactor.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "chimera/sdk/reactor.hpp"
#include "counted_waker.hpp"

using namespace chimera::sdk;

namespace {

constexpr std::uint64_t ms = 1'000'000, hour = 3600'000 * ms;

/// Deregisters another io when it is woken, inside the turn that has reports for both.
struct pair_waker final : chm_waker {
    io* other = nullptr;
    unsigned wakes = 0;

    pair_waker() noexcept : chm_waker{&vtable} {}

  private:
    static chm_waker* same(chm_waker* w) noexcept { return w; }
    static void fire(chm_waker* w) noexcept {
        auto& self = *static_cast<pair_waker*>(w);
        ++self.wakes;
        *self.other = io();
    }
    static void nothing(chm_waker*) noexcept {}
    static constexpr chm_waker_vt vtable{same, fire, fire, nothing};
};

bool readable(const epoll_reactor& r, int wait_ms) {
    pollfd p{r.descriptor(), POLLIN, 0};
    return ::poll(&p, 1, wait_ms) == 1;
}

} // namespace

TEST_CASE("timers against a model: armed, re-armed and destroyed at random, each wakes when due and never before") {
    std::minstd_rand random(11);
    epoll_reactor r;
    struct entry {
        counted_waker waker;
        timer handle;
        std::uint64_t deadline = 0; // 0: not armed
        explicit entry(chm_reactor* owner) : handle(owner) {}
    };
    std::vector<std::unique_ptr<entry>> entries;
    for (int i = 0; i < 300; ++i) entries.push_back(std::make_unique<entry>(&r));
    for (int turn = 0; turn < 4000; ++turn) {
        auto& e = entries[random() % entries.size()];
        switch (random() % 4) {
        case 0: // destroyed
            e->handle = timer();
            CHECK(e->waker.references == 0);
            e = std::make_unique<entry>(&r);
            break;
        case 1:
        case 2: { // armed or re-armed
            const std::uint64_t deadline = now_ns() + random() % (20 * ms);
            e->waker.wakes = 0;
            e->deadline = e->handle.poll(deadline, &e->waker) ? 0 : deadline;
            break;
        }
        default:
            r.turn(0);
        }
        for (const auto& x : entries)
            if (x->waker.wakes > 0 && x->deadline) {
                REQUIRE(now_ns() >= x->deadline);
                x->deadline = 0;
                x->waker.wakes = 0;
            }
    }
    const std::uint64_t end = now_ns() + 2000 * ms;
    const auto armed = [&] {
        std::size_t n = 0;
        for (const auto& x : entries) n += x->deadline != 0 && x->waker.wakes == 0;
        return n;
    };
    while (armed() > 0 && now_ns() < end) r.turn(50);
    CHECK(armed() == 0);
    for (const auto& x : entries) CHECK(x->waker.references == 0);
}

TEST_CASE("a timer that moves to the front or to the back of the others sets the alarm right") {
    epoll_reactor r;
    counted_waker far, near;
    timer late(&r), soon(&r);
    CHECK_FALSE(late.poll(now_ns() + hour, &far));
    CHECK_FALSE(soon.poll(now_ns() + 2 * hour, &near));
    CHECK_FALSE(soon.poll(now_ns() + 3 * ms, &near)); // to the front
    while (near.wakes == 0) r.turn(1000);
    CHECK_FALSE(soon.poll(now_ns() + 3 * ms, &near));
    CHECK_FALSE(soon.poll(now_ns() + hour, &near)); // to the back; the alarm goes off for nobody
    r.turn(10);
    CHECK(near.wakes == 1);
    CHECK_FALSE(late.poll(now_ns() + 3 * ms, &far));
    while (far.wakes == 0) r.turn(1000);
}

TEST_CASE("hundreds of timers that are due at once are all woken in one turn") {
    epoll_reactor r;
    counted_waker w;
    std::vector<timer> timers;
    const std::uint64_t deadline = now_ns() + 5 * ms;
    unsigned armed = 0;
    for (int i = 0; i < 500; ++i) {
        timers.emplace_back(&r);
        armed += !timers.back().poll(deadline, &w);
    }
    while (now_ns() < deadline) {
    }
    for (int i = 0; i < 3 && w.wakes < armed; ++i) r.turn(1000);
    CHECK(w.wakes == armed);
}

TEST_CASE("an interrupt ends a wait, before it or during it, and only one") {
    epoll_reactor r;
    r.interrupt();
    r.interrupt();
    r.turn(-1); // hangs if it is lost
    std::thread t([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        r.interrupt();
    });
    r.turn(-1);
    t.join();
    for (int i = 0; i < 2000; ++i) {
        std::thread one;
        std::atomic<bool> said{false};
        if (i % 100 == 0)
            one = std::thread([&] { r.interrupt(), said = true; });
        else
            r.interrupt();
        r.turn(-1);
        if (one.joinable()) one.join();
    }
}

TEST_CASE("a deregistered io is not reported, though its report is under way") {
    epoll_reactor r;
    for (int i = 0; i < 200; ++i) {
        int a[2], b[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a) == 0);
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b) == 0);
        {
            pair_waker first, second;
            io one(&r, a[0]), two(&r, b[0]);
            r.turn(0); // writable: known, so that the next report is of data
            first.other = &two;
            second.other = &one;
            CHECK(one.poll(CHM_IO_READ, &first) == 0);
            CHECK(two.poll(CHM_IO_READ, &second) == 0);
            REQUIRE(::send(a[1], "x", 1, 0) == 1);
            REQUIRE(::send(b[1], "x", 1, 0) == 1);
            r.turn(100);
            CHECK(first.wakes + second.wakes == 1);
        }
        for (const int fd : {a[0], a[1], b[0], b[1]}) ::close(fd);
    }
    r.turn(0);
}

TEST_CASE("a stale clear keeps what came since, and a fresh one forgets") {
    epoll_reactor r;
    counted_waker w;
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    {
        io x(&r, fds[0]);
        REQUIRE(::send(fds[1], "a", 1, 0) == 1);
        r.turn(0);
        const std::uint32_t seen = x.poll(CHM_IO_READ, &w);
        CHECK((seen & CHM_IO_READ) != 0);
        REQUIRE(::send(fds[1], "b", 1, 0) == 1);
        r.turn(0);
        x.drained(seen, CHM_IO_READ);
        const std::uint32_t again = x.poll(CHM_IO_READ, &w);
        CHECK((again & CHM_IO_READ) != 0);
        CHECK((again >> 8) != (seen >> 8));
        x.drained(again, CHM_IO_READ);
        CHECK(x.poll(CHM_IO_READ, &w) == 0); // nothing was read, but the reactor was told so
        const std::uint32_t writable = x.poll(CHM_IO_WRITE, &w);
        CHECK((writable & CHM_IO_WRITE) != 0);
        x.recheck(writable, CHM_IO_WRITE); // asks the kernel about no more than that
        CHECK((x.poll(CHM_IO_WRITE, &w) & CHM_IO_WRITE) != 0);
        const std::uint32_t still = x.poll(CHM_IO_READ, &w);
        CHECK((still & CHM_IO_READ) == 0);
        x.recheck(x.poll(CHM_IO_WRITE, &w), CHM_IO_READ | CHM_IO_WRITE);
        CHECK((x.poll(CHM_IO_READ, &w) & CHM_IO_READ) != 0); // the data that was never read
    }
    CHECK(w.references == 0);
    for (const int fd : fds) ::close(fd);
}

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
