// What must stay true of uv_pinned's reactor: readiness, timers, and what they cost in system calls.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "../testing/affine_reactor.hpp"
#include "../testing/executor_under_test.hpp"
#include "../testing/run_limit.hpp"
#include "../testing/socket_pair.hpp"
#include "chimera/sdk/clock.hpp"

using namespace chimera;
using namespace chimera::test;

namespace {
std::atomic<int> controls{0}, waits{0}; // epoll_ctl and epoll_wait that libuv made
std::atomic<int> longest_wait_ms{0};    // that was asked for
void note_wait(int ms) noexcept {
    ++waits;
    if (ms > longest_wait_ms) longest_wait_ms = ms;
}
template <class F>
F next_of(const char* name) {
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}
} // namespace

// libuv's calls come here first.
extern "C" CHM_EXPORT int epoll_ctl(int epfd, int op, int fd, epoll_event* event) noexcept {
    static const auto real = next_of<int (*)(int, int, int, epoll_event*)>("epoll_ctl");
    ++controls;
    return real(epfd, op, fd, event);
}
extern "C" CHM_EXPORT int epoll_pwait(int epfd, epoll_event* events, int n, int ms, const sigset_t* mask) {
    static const auto real = next_of<int (*)(int, epoll_event*, int, int, const sigset_t*)>("epoll_pwait");
    note_wait(ms);
    return real(epfd, events, n, ms, mask);
}
extern "C" CHM_EXPORT int epoll_wait(int epfd, epoll_event* events, int n, int ms) {
    static const auto real = next_of<int (*)(int, epoll_event*, int, int)>("epoll_wait");
    note_wait(ms);
    return real(epfd, events, n, ms);
}

namespace {

sdk::task<void> wait_ns(chm_reactor* reactor, std::uint64_t ns, bool& early) {
    sdk::timer timer(reactor);
    const std::uint64_t deadline = sdk::now_ns() + ns;
    co_await timer.at(deadline);
    early = early || sdk::now_ns() < deadline;
}

/// Reads until the end of the stream, as the contract says; counts the bytes.
sdk::task<void> read_all(chm_reactor* reactor, int fd, std::size_t& total) {
    sdk::io io(reactor, fd);
    for (std::array<char, 256> buf;;) {
        const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
        const ssize_t n = ::recv(fd, buf.data(), buf.size(), 0);
        if (n == 0) co_return;
        if (n > 0) total += static_cast<std::size_t>(n);
        if (n < static_cast<ssize_t>(buf.size())) io.drained(seen, CHM_IO_READ);
    }
}

sdk::task<void> spin_until(const bool& done) {
    while (!done) {
        sdk::yield_now turn;
        co_await turn;
    }
}
sdk::task<void> note_io_and_timer(chm_reactor* reactor, socket_pair& pair, bool& done) {
    bool early = false;
    co_await wait_ns(reactor, 3'000'000, early);
    sdk::io io(reactor, pair.a.get());
    CHECK(::send(pair.b.get(), "x", 1, 0) == 1);
    co_await io.ready(CHM_IO_READ);
    done = !early;
}

TEST_CASE("a task that always wants to run starves neither timers nor descriptors") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    bool done = false;
    ex.spawn(spin_until(done));
    ex.spawn(note_io_and_timer(ex.reactor(), pair, done));
    CHECK(ex.run() == CHM_OK);
    CHECK(done);
}

TEST_CASE("a timer is never early, wherever in a millisecond its deadline lies") { timers_are_never_early(); }

sdk::task<void> long_poll(chm_reactor* reactor, int& wait_ms) {
    sdk::timer timer(reactor);
    const std::uint64_t start = sdk::now_ns();
    auto alarm = timer.at(start + 120'000'000);
    sdk::yield_now turn; // a fresh turn
    co_await turn;
    while (sdk::now_ns() < start + 80'000'000) {
    }
    longest_wait_ms = 0;
    co_await alarm;
    wait_ms = longest_wait_ms;
}

TEST_CASE("a long poll does not make timers late by its own length") {
    const census before;
    executor_under_test ex;
    int wait_ms = 0;
    ex.spawn(long_poll(ex.reactor(), wait_ms));
    CHECK(ex.run() == CHM_OK);
    CHECK(wait_ms <= 41); // 120 - 80, rounded up; counted from before the poll it would be 120
}

TEST_CASE("another deadline re-arms a timer, the same one only replaces the waker") {
    const census before;
    executor_under_test ex;
    std::atomic<int> drops{0};
    chm_timer* timer = nullptr;
    int polls = 0;
    const std::uint64_t far = sdk::now_ns() + 3'600'000'000'000U;
    std::uint64_t near = 0;
    chm_reactor* r = ex.reactor();
    auto* task = closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        if (++polls == 1) {
            REQUIRE(r->vt->timer_create(r, &timer) == CHM_OK);
            CHECK(r->vt->timer_poll(r, timer, far, w) == CHM_PENDING);
            CHECK(r->vt->timer_poll(r, timer, far, w) == CHM_PENDING);
            near = sdk::now_ns() + 2'000'000;
        }
        if (r->vt->timer_poll(r, timer, near, w) == CHM_PENDING) return CHM_PENDING;
        CHECK(sdk::now_ns() >= near);
        CHECK(r->vt->timer_poll(r, timer, 1, w) == CHM_READY);
        r->vt->timer_destroy(r, timer);
        return CHM_READY;
    });
    ex.spawn(task);
    CHECK(ex.run() == CHM_OK);
    CHECK(drops == 1);
    CHECK(polls < 5);
}

sdk::task<void> measured_stream(chm_reactor* reactor, socket_pair& pair, int tokens, int& extra) {
    sdk::io io(reactor, pair.a.get());
    std::array<char, 64> buf;
    int before = 0;
    for (int i = 0; i < tokens; ++i) {
        if (i == 1) before = controls; // the first wait starts the watch
        CHECK(::send(pair.b.get(), "token", 5, 0) == 5);
        const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
        CHECK(::recv(pair.a.get(), buf.data(), buf.size(), 0) == 5);
        io.drained(seen, CHM_IO_READ);
        sdk::yield_now turn;
        co_await turn;
    }
    extra = controls - before;
}

TEST_CASE("a stream in its steady state makes no epoll_ctl") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    int extra = -1;
    ex.spawn(measured_stream(ex.reactor(), pair, 500, extra));
    CHECK(ex.run() == CHM_OK);
    CHECK(controls > 0); // they are counted at all
    CHECK(extra == 0);
}

sdk::task<void> ignore_readiness(chm_reactor* reactor, socket_pair& pair, int& turns, bool& still_ready, bool& again) {
    sdk::io io(reactor, pair.a.get());
    CHECK(::send(pair.b.get(), "x", 1, 0) == 1);
    std::uint32_t seen = co_await io.ready(CHM_IO_READ | CHM_IO_WRITE);
    const int before = waits;
    bool early = false;
    co_await wait_ns(reactor, 50'000'000, early);
    turns = waits - before;
    seen = co_await io.ready(CHM_IO_READ);
    still_ready = seen & CHM_IO_READ;
    // Cleared although a byte is there: the kernel has to be asked again, and it answers.
    io.recheck(seen, CHM_IO_READ);
    seen = co_await io.ready(CHM_IO_READ);
    again = seen & CHM_IO_READ;
}

TEST_CASE("readiness that nobody consumes stays, and does not make the loop spin") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    int turns = 0;
    bool still_ready = false, again = false;
    ex.spawn(ignore_readiness(ex.reactor(), pair, turns, still_ready, again));
    CHECK(ex.run() == CHM_OK);
    CHECK(turns > 0);
    CHECK(turns < 20);
    CHECK(still_ready);
    CHECK(again);
}

sdk::task<void> stale_clear(chm_reactor* reactor, socket_pair& pair, bool& kept) {
    sdk::io io(reactor, pair.a.get());
    CHECK(::send(pair.b.get(), "x", 1, 0) == 1);
    const std::uint32_t old = co_await io.ready(CHM_IO_READ);
    char byte = 0;
    CHECK(::recv(pair.a.get(), &byte, 1, 0) == 1);
    io.drained(old, CHM_IO_READ);
    CHECK(::send(pair.b.get(), "y", 1, 0) == 1);
    co_await io.ready(CHM_IO_READ); // a report of its own
    io.drained(old, CHM_IO_READ);
    kept = io.poll(CHM_IO_READ, nullptr) & CHM_IO_READ; // ready: the waker is not touched
}

TEST_CASE("a clear that names an older report forgets nothing") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    bool kept = false;
    ex.spawn(stale_clear(ex.reactor(), pair, kept));
    CHECK(ex.run() == CHM_OK);
    CHECK(kept);
}

sdk::task<void> reuse_number(chm_reactor* reactor, int& reused) {
    int last = -1;
    for (int i = 0; i < 100; ++i) {
        socket_pair pair;
        sdk::io io(reactor, pair.a.get());
        if (pair.a.get() == last) ++reused;
        last = pair.a.get();
        CHECK(::send(pair.b.get(), "x", 1, 0) == 1);
        const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
        CHECK((seen & (CHM_IO_READ | CHM_IO_ERR | CHM_IO_HUP)) == CHM_IO_READ);
        char byte = 0;
        CHECK(::recv(pair.a.get(), &byte, 1, 0) == 1);
        // Here io is deregistered, pair is closed, and the next pair gets its numbers within the same turn.
    }
}

TEST_CASE("a descriptor may be closed and its number registered again right after deregistration") {
    const census before;
    executor_under_test ex;
    int reused = 0;
    ex.spawn(reuse_number(ex.reactor(), reused));
    CHECK(ex.run() == CHM_OK);
    CHECK(reused > 50);
}

sdk::task<void> register_twice(chm_reactor* reactor, socket_pair& pair) {
    sdk::io io(reactor, pair.a.get());
    bool early = false;
    CHECK(::send(pair.b.get(), "x", 1, 0) == 1);
    co_await io.ready(CHM_IO_READ);
    chm_io* second = nullptr;
    CHECK(reactor->vt->io_register(reactor, pair.a.get(), &second) == CHM_E_STATE);
    char byte = 0;
    CHECK(::recv(pair.a.get(), &byte, 1, 0) == 1);
    const std::uint32_t seen = io.poll(CHM_IO_READ, nullptr);
    io.drained(seen, CHM_IO_READ);
    co_await wait_ns(reactor, 1'000'000, early);
    CHECK(::send(pair.b.get(), "y", 1, 0) == 1);
    co_await io.ready(CHM_IO_READ); // the first registration still works
    const sdk::owned_fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    CHECK(reactor->vt->io_register(reactor, file.get(), &second) == CHM_E_INVAL);
}

TEST_CASE("a second registration is refused and leaves the first alone") {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    ex.spawn(register_twice(ex.reactor(), pair));
    CHECK(ex.run() == CHM_OK);
}

TEST_CASE("the end of a stream is reported, with what was sent before it") {
    const census before;
    executor_under_test ex;
    socket_pair pair;
    std::size_t total = 0;
    ex.spawn(read_all(ex.reactor(), pair.a.get(), total));
    std::thread peer([&] {
        const std::string data(100'000, 'x');
        for (std::size_t sent = 0; sent < data.size();) {
            const ssize_t n = ::send(pair.b.get(), data.data() + sent, data.size() - sent, 0);
            n > 0 ? static_cast<void>(sent += static_cast<std::size_t>(n)) : std::this_thread::yield();
        }
        pair.b.reset();
    });
    CHECK(ex.run() == CHM_OK);
    peer.join();
    CHECK(total == 100'000);
}

sdk::task<void> hear_end(chm_reactor* reactor, socket_pair& pair, int& turns, bool& heard) {
    sdk::io io(reactor, pair.a.get());
    co_await io.ready(CHM_IO_READ); // stays unread, and leaves the watch
    bool early = false;
    co_await wait_ns(reactor, 3'000'000, early);
    heard = co_await io.ready(0) & CHM_IO_HUP;
    const int before = waits;
    co_await wait_ns(reactor, 50'000'000, early);
    turns = waits - before;
    const std::uint32_t seen = co_await io.ready(0);
    io.recheck(seen, CHM_IO_READ | CHM_IO_WRITE);
    CHECK((co_await io.ready(0) & CHM_IO_HUP) != 0); // not forgotten
}

TEST_CASE("a peer that ends is told to who waits for nothing, and does not make the loop spin") {
    for (const bool closes : {false, true}) {
        const census before;
        socket_pair pair;
        executor_under_test ex;
        const run_limit limit(ex);
        int turns = 0;
        bool heard = false;
        CHECK(::send(pair.b.get(), "x", 1, 0) == 1);
        ex.spawn(hear_end(ex.reactor(), pair, turns, heard));
        std::thread peer([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            closes ? pair.b.reset() : static_cast<void>(::shutdown(pair.b.get(), SHUT_WR));
        });
        CHECK(ex.run() == CHM_OK);
        peer.join();
        CHECK(heard);
        CHECK(turns > 0);
        CHECK(turns < 20);
    }
}

TEST_CASE("the reactor refuses threads that are not its workers, and workers of another executor") {
    reactor_refuses_other_threads();
    const census before;
    socket_pair pair;
    executor_under_test ex, other;
    ex.spawn(closure_task::make([&](chm_waker*) -> chm_rc {
        chm_reactor* r = other.reactor();
        chm_io* io = nullptr;
        CHECK(r->vt->io_register(r, pair.a.get(), &io) == CHM_E_AFFINITY);
        return CHM_READY;
    }));
    CHECK(ex.run() == CHM_OK);
}

TEST_CASE("an io and a timer that a task has left behind are closed at the end, with warnings") {
    leaks_are_closed_with_a_warning();
}

} // namespace
