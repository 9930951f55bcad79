// What must stay true of uring's reactor: receives without a buffer, hang-ups that nobody waits for, timers without
// memory.
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "../testing/affine_reactor.hpp"
#include "../testing/executor_under_test.hpp"
#include "../testing/run_limit.hpp"
#include "../testing/socket_pair.hpp"
#include "chimera/sdk/reactor.hpp"

using namespace chimera;
using namespace chimera::test;

namespace {
thread_local bool no_memory = false; // the next allocation of this thread fails
} // namespace

// The plugin's allocations come here first. All kinds, so that no sanitizer's stand beside them.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return std::exchange(no_memory, false) ? nullptr : std::malloc(size);
}
void* operator new(std::size_t size) {
    void* const memory = operator new(size, std::nothrow);
    if (!memory) throw std::bad_alloc();
    return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return operator new(size, std::nothrow); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

sdk::receiver receiver_on(chm_reactor* r, int fd) { return {r, *sdk::recv_ops_of(r), fd, 0}; }

/// Awaits something to tell.
class arrival final : public sdk::awaitable {
  public:
    explicit arrival(sdk::receiver& from) noexcept : from_(from) {}
    bool poll(chm_waker* waker) override { return from_.ready(waker); }
    void await_resume() const noexcept {}

  private:
    sdk::receiver& from_;
};

/// What has arrived; "" at the end.
std::string take(sdk::receiver& from) {
    std::string bytes(100, '\0');
    chm_received got{};
    const chm_rc rc = from.poll(nullptr, bytes.data(), bytes.size(), got);
    CHECK((rc == CHM_READY || rc == CHM_END));
    bytes.resize(got.count);
    return bytes;
}

void send(const sdk::owned_fd& from, std::string_view bytes) {
    CHECK(::send(from.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

sdk::task<void> turn_until(const bool& over) {
    while (!over) {
        sdk::yield_now turn;
        co_await turn;
    }
}

// --- receives without a buffer ---

sdk::task<void> read_beside_unread(chm_reactor* r, socket_pair& read, socket_pair& unread, bool& over) {
    sdk::receiver holder = receiver_on(r, unread.a.get()), reader = receiver_on(r, read.a.get());
    send(unread.b, "x");
    arrival held(holder);
    co_await held; // it has the buffer
    send(read.b, "y");
    arrival some(reader);
    co_await some;
    CHECK(take(reader) == "y");
    CHECK(take(holder) == "x"); // what was moved out is not lost
    over = true;
}

TEST_CASE("a task that always wants to run keeps no receive from the buffers of one that nobody reads") {
    const census before;
    socket_pair read, unread;
    executor_under_test ex{{"buffers", "1"}};
    const run_limit limit(ex);
    bool over = false;
    ex.spawn(turn_until(over));
    ex.spawn(read_beside_unread(ex.reactor(), read, unread, over));
    CHECK(ex.run() == CHM_OK);
    CHECK(over);
}

/// Reads what it sends itself, again and again: its receive wants a buffer in every turn.
sdk::task<void> stream(chm_reactor* r, socket_pair& wire, int& left) {
    sdk::receiver from = receiver_on(r, wire.a.get());
    for (int reads = 0; left != 0; ++reads) {
        if (reads == 100) --left;
        send(wire.b, "zz");
        arrival some(from);
        co_await some;
        send(wire.b, "z");
        CHECK(take(from) != "");
    }
}

TEST_CASE("receives that wait for a buffer take turns") {
    const census before;
    std::array<socket_pair, 5> streams;
    executor_under_test ex{{"buffers", "1"}};
    const run_limit limit(ex);
    int left = streams.size();
    for (socket_pair& wire : streams) ex.spawn(stream(ex.reactor(), wire, left));
    CHECK(ex.run() == CHM_OK);
    CHECK(left == 0);
}

// --- hang-ups ---

void fill(const sdk::owned_fd& fd) {
    const std::string block(16 * 1024, 'x');
    while (::send(fd.get(), block.data(), block.size(), MSG_NOSIGNAL) > 0) {
    }
    CHECK(errno == EAGAIN);
}

sdk::task<void> hear_end(chm_reactor* r, socket_pair& wire, std::uint32_t interest, std::atomic<bool>& waits,
                         bool& heard) {
    if (interest & CHM_IO_WRITE) fill(wire.a);
    sdk::io io(r, wire.a.get());
    waits = true;
    for (std::uint32_t seen = 0; !(seen & CHM_IO_HUP);) {
        seen = co_await io.ready(interest);
        CHECK((seen & (CHM_IO_READ | CHM_IO_ERR)) != CHM_IO_ERR);
        io.drained(seen, CHM_IO_WRITE);
    }
    io.drained(co_await io.ready(interest), CHM_IO_READ | CHM_IO_WRITE);
    CHECK((co_await io.ready(0) & CHM_IO_HUP) != 0); // not forgotten
    heard = true;
}

TEST_CASE("a peer that ends is told to who waits for nothing, or for room only") {
    for (const std::uint32_t interest : {0U, std::uint32_t{CHM_IO_WRITE}})
        for (const bool closes : {false, true}) {
            const census before;
            socket_pair wire;
            executor_under_test ex;
            const run_limit limit(ex);
            std::atomic<bool> waits{false};
            bool heard = false;
            send(wire.b, "unread"); // of no interest
            ex.spawn(hear_end(ex.reactor(), wire, interest, waits, heard));
            std::thread peer([&] {
                CHECK(block_until([&] { return waits.load(); }));
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
                closes ? wire.b.reset() : static_cast<void>(::shutdown(wire.b.get(), SHUT_WR));
            });
            CHECK(ex.run() == CHM_OK);
            peer.join();
            CHECK(heard);
        }
}

sdk::task<void> wait_for_room(chm_reactor* r, socket_pair& wire, bool& room) {
    sdk::receiver from = receiver_on(r, wire.a.get());
    sdk::io io(r, wire.a.get());
    for (bool full = false; !full;) { // until the kernel has been asked to watch
        const std::uint32_t seen = co_await io.ready(CHM_IO_WRITE);
        fill(wire.a);
        io.drained(seen, CHM_IO_WRITE);
        full = true;
    }
    arrival first(from), end(from);
    co_await first;
    CHECK(take(from) == "last words");
    co_await end;
    CHECK(take(from) == "");
    std::string bytes(1 << 20, '\0'); // the peer goes on reading
    while (::recv(wire.b.get(), bytes.data(), bytes.size(), 0) > 0) {
    }
    CHECK((co_await io.ready(CHM_IO_WRITE) & (CHM_IO_WRITE | CHM_IO_HUP)) == CHM_IO_WRITE);
    room = true;
}

TEST_CASE("beside a receive, which tells the end, room to write is waited for even after it") {
    const census before;
    socket_pair wire;
    executor_under_test ex;
    const run_limit limit(ex);
    bool room = false;
    ex.spawn(wait_for_room(ex.reactor(), wire, room));
    std::thread peer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        send(wire.b, "last words");
        ::shutdown(wire.b.get(), SHUT_WR);
    });
    CHECK(ex.run() == CHM_OK);
    peer.join();
    CHECK(room);
}

// --- timers ---

TEST_CASE("a timer that found no memory is armed by the next poll with the same deadline") {
    const census before;
    executor_under_test ex;
    const run_limit limit(ex);
    std::unique_ptr<sdk::timer> timer; // the worker's first: the list of timers has no memory yet
    std::uint64_t deadline = 0;
    bool refused = false, ready = false;
    ex.spawn(closure_task::make([&](chm_waker* w) -> chm_rc {
        if (!timer) {
            timer = std::make_unique<sdk::timer>(ex.reactor());
            deadline = sdk::now_ns() + 20'000'000;
            no_memory = true;
            try {
                timer->poll(deadline, w);
            } catch (const sdk::error& e) {
                refused = e.code() == CHM_E_NOMEM;
            }
        }
        ready = timer->poll(deadline, w);
        if (ready) timer.reset();
        return ready ? CHM_READY : CHM_PENDING;
    }));
    CHECK(ex.run() == CHM_OK);
    CHECK(refused);
    CHECK(ready);
    timer.release(); // [failed] it cannot be destroyed here any more
}

TEST_CASE("a timer is never early, wherever in a millisecond its deadline lies") { timers_are_never_early(); }

TEST_CASE("the reactor refuses threads that are not its workers") { reactor_refuses_other_threads(); }

} // namespace
