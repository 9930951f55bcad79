// "chimera.reactor.recv/1": a reactor that reads ahead of its reader loses nothing, lends nothing, and keeps its peers
// apart.
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../case.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/on_reactor.hpp"
#include "chimera/sdk/reactor.hpp"

namespace chimera::conformance {

namespace {

sdk::receiver receiver_on(chm_reactor* r, int fd) { return {r, *sdk::recv_ops_of(r), fd, 0}; }

/// Awaits the next bytes, the end or an error.
class arrival final : public sdk::awaitable {
  public:
    arrival(sdk::receiver& from, char* to, std::size_t capacity) noexcept : from_(from), to_(to), capacity_(capacity) {}
    bool poll(chm_waker* waker) override { return (rc_ = from_.poll(waker, to_, capacity_, got)) != CHM_PENDING; }
    chm_rc await_resume() const noexcept { return rc_; }

    chm_received got{};

  private:
    sdk::receiver& from_;
    char* to_;
    std::size_t capacity_;
    chm_rc rc_ = CHM_PENDING;
};

/// The next 1 to capacity bytes; "" at the end.
sdk::task<std::string> next(sdk::receiver& from, std::size_t capacity) {
    std::string bytes(capacity, '\0');
    arrival some(from, bytes.data(), capacity);
    const chm_rc rc = co_await some;
    expect(rc == CHM_READY || rc == CHM_END, "the receive must work");
    expect(rc == CHM_END || (some.got.count >= 1 && some.got.count <= capacity), "a count must be 1 to capacity");
    bytes.resize(rc == CHM_READY ? some.got.count : 0);
    co_return bytes;
}

char byte_at(std::size_t i) noexcept { return static_cast<char>(i * 31 + i / 251); }

/// Everything up to the end; throws failure unless it is byte_at(0...), `total` of them.
sdk::task<void> read_all(sdk::receiver& from, std::size_t total, std::size_t capacity) {
    std::size_t at = 0;
    for (;;) {
        const std::string piece = co_await next(from, capacity);
        if (piece.empty()) break;
        for (const char c : piece) expect(c == byte_at(at++), "bytes must come as they were sent");
    }
    expect_equal(at, total, "the number of bytes before the end");
}

/// Sends byte_at(0...) as fast as the other end takes them, until it hangs up.
void send_all(const socket_pair& wire, std::size_t total, std::size_t step) {
    std::string bytes(total, '\0');
    for (std::size_t i = 0; i < total; ++i) bytes[i] = byte_at(i);
    for (std::size_t sent = 0; sent < total;) {
        const ssize_t n = ::send(wire.far(), bytes.data() + sent, std::min(step, total - sent), MSG_NOSIGNAL);
        if (n > 0)
            sent += static_cast<std::size_t>(n);
        else if (errno == EAGAIN)
            std::this_thread::yield();
        else
            return;
    }
}

/// Lets a sender go that nobody reads any more, because what was read is wrong.
struct hang_up_at_exit {
    const socket_pair& wire;
    ~hang_up_at_exit() { ::shutdown(wire.near(), SHUT_RDWR); }
};

sdk::task<void> in_order(chm_reactor* r, environment& env) {
    for (const std::size_t capacity : {1U, 7U, 1024U, 100'000U}) {
        const std::size_t total = scaled(capacity == 1 ? 20'000 : 400'000);
        socket_pair wire;
        sdk::receiver from = receiver_on(r, wire.near());
        const foreign_thread sending(env.probes(), [&] {
            send_all(wire, total, capacity * 3 + 1);
            wire.close_far();
        });
        const hang_up_at_exit at_exit{wire};
        co_await read_all(from, total, capacity);
    }
}

sdk::task<void> only_looks(chm_reactor* r, environment&) {
    const socket_pair wire;
    sdk::receiver from = receiver_on(r, wire.near());
    expect(!from.ready(nullptr), "nothing may be ready before any data");
    wire.send("abc");
    co_await yield_until([&] { return from.ready(nullptr); }, "the bytes to be received");
    expect(from.ready(nullptr), "a look must take nothing");
    expect_equal(co_await next(from, 2), std::string("ab"), "what was read");
    expect_equal(co_await next(from, 2), std::string("c"), "what was left");
    expect(!from.ready(nullptr), "nothing may be ready when all was read");
}

sdk::task<void> end_stays(chm_reactor* r, environment&) {
    socket_pair wire;
    sdk::receiver from = receiver_on(r, wire.near());
    wire.send("first words");
    expect_equal(co_await next(from, 100), std::string("first words"), "what was read before the peer closed");
    wire.send("last words"); // with the end behind them, before the reactor's next turn
    wire.close_far();
    expect_equal(co_await next(from, 100), std::string("last words"), "what was read after the peer closed");
    for (int i = 0; i < 3; ++i) expect_equal(co_await next(from, 100), std::string(), "what was read after the end");
    expect(from.ready(nullptr), "an end must be something to tell");
}

sdk::task<void> error_told(chm_reactor* r, environment&) {
    socket_pair wire;
    expect(::send(wire.near(), "x", 1, 0) == 1, "the near end must be able to send");
    sdk::receiver from = receiver_on(r, wire.near());
    wire.close_far(); // with a byte unread: a reset
    char byte = 0;
    for (int i = 0; i < 2; ++i) {
        arrival failed(from, &byte, 1);
        const chm_rc rc = co_await failed;
        expect(rc < 0, "a reset must be an error");
        expect_equal(failed.got.os_error, ECONNRESET, "os_error after a reset");
    }
}

sdk::task<void> wakers(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    counting_waker first(mine), second(mine), third(mine);
    const socket_pair wire;
    {
        sdk::receiver from = receiver_on(r, wire.near());
        expect(!from.ready(first.get()) && !from.ready(second.get()), "nothing may be ready before any data");
        co_await yield_until([&] { return first.references() == 0; }, "the waker of the earlier poll to be dropped");
        wire.send("x");
        co_await yield_until([&] { return second.wakes() > 0; }, "the waker of the later poll to be woken");
        expect_equal(first.wakes(), 0U, "the number of wakes of a replaced waker");
        expect_equal(co_await next(from, 9), std::string("x"), "what was read");
        expect(!from.ready(third.get()), "nothing may be ready when all was read");
    }
    co_await yield_until([&] { return second.references() == 0 && third.references() == 0; },
                         "the waker of a closed receive to be dropped");
    wire.send("y");
    sdk::timer rest(r);
    co_await rest.after(2'000'000);
    expect_equal(third.wakes(), 0U, "the number of wakes after the close");
}

sdk::task<void> number_reused(chm_reactor* r, environment&) {
    unsigned reused = 0;
    int last = -1;
    for (unsigned i = 0; i < scaled(500); ++i) {
        const socket_pair wire;
        sdk::receiver from = receiver_on(r, wire.near());
        reused += wire.near() == last;
        last = wire.near();
        if (i % 4 == 0) continue; // closed before the reactor has had its turn
        wire.send("x");
        if (i % 4 == 1) continue; // closed with bytes on their way
        expect_equal(co_await next(from, 9), std::string("x"), "what was read under a number used again");
    }
    expect(reused > 0, "this case needs a number that is used again");
}

sdk::task<void> beside_writes(chm_reactor* r, environment&) {
    const socket_pair wire;
    sdk::receiver from = receiver_on(r, wire.near());
    sdk::io io(r, wire.near());
    const std::string block(4096, 'w');
    std::size_t unread = 0;
    for (ssize_t n = 1; n > 0;) {
        const std::uint32_t seen = co_await io.ready(CHM_IO_WRITE);
        n = ::send(wire.near(), block.data(), block.size(), MSG_NOSIGNAL);
        if (n > 0) unread += static_cast<std::size_t>(n);
        if (n < 0) io.drained(seen, CHM_IO_WRITE);
    }
    wire.send("x");
    expect_equal(co_await next(from, 9), std::string("x"), "what was read beside a full send buffer");
    std::string buffer(65536, '\0');
    while (unread > 0) unread -= static_cast<std::size_t>(::recv(wire.far(), buffer.data(), buffer.size(), 0));
    co_await io.ready(CHM_IO_WRITE);
}

sdk::task<void> slow_reader(chm_reactor* r, environment&) {
    socket_pair wire, other;
    sdk::receiver from = receiver_on(r, wire.near()), others = receiver_on(r, other.near());
    // Nobody reads: after a while the peer cannot send any more, and others are not disturbed.
    std::size_t sent = 0;
    sdk::timer rest(r);
    for (int quiet = 0; quiet < 5;) {
        std::string step(3000, '\0');
        for (std::size_t i = 0; i < step.size(); ++i) step[i] = byte_at(sent + i);
        const ssize_t n = ::send(wire.far(), step.data(), step.size(), MSG_NOSIGNAL);
        if (n > 0) sent += static_cast<std::size_t>(n);
        expect(sent < 64'000'000, "what is read ahead must be bounded");
        quiet = n > 0 ? 0 : quiet + 1;
        if (n <= 0) co_await rest.after(2'000'000);
    }
    other.send("x");
    expect_equal(co_await next(others, 9), std::string("x"), "what another receive read meanwhile");
    wire.close_far();
    co_await read_all(from, sent, 1024);
}

sdk::task<void> many_unread(chm_reactor* r, environment&) {
    constexpr unsigned n = 150, pieces = 20; // more pieces than a reactor is likely to have buffers
    std::vector<std::unique_ptr<socket_pair>> wires;
    std::vector<sdk::receiver> all;
    for (unsigned i = 0; i < n; ++i) {
        wires.push_back(std::make_unique<socket_pair>());
        all.push_back(receiver_on(r, wires.back()->near()));
    }
    sdk::timer rest(r);
    for (unsigned p = 0; p < pieces; ++p) {
        for (unsigned i = 0; i < n; ++i) wires[i]->send(std::string(1, byte_at(i + p)));
        co_await rest.after(300'000); // each is received by itself
    }
    for (unsigned i = n; i-- > 0;) {
        std::string whole;
        while (whole.size() < pieces) whole += co_await next(all[i], pieces);
        for (unsigned p = 0; p < pieces; ++p) expect(whole[p] == byte_at(i + p), "each must get what was sent to it");
    }
}

/// Reads one byte beside sockets that nobody reads.
sdk::task<void> read_beside_unread(chm_reactor* r, std::atomic<bool>& over) {
    constexpr unsigned n = 150, pieces = 8; // more pieces than a reactor is likely to have buffers
    std::vector<std::unique_ptr<socket_pair>> wires;
    std::vector<sdk::receiver> unread;
    for (unsigned i = 0; i < n; ++i) {
        wires.push_back(std::make_unique<socket_pair>());
        unread.push_back(receiver_on(r, wires.back()->near()));
    }
    const socket_pair wire;
    sdk::receiver from = receiver_on(r, wire.near());
    sdk::timer rest(r);
    for (unsigned p = 0; p < pieces; ++p) {
        for (const auto& w : wires) w->send("x");
        co_await rest.after(300'000); // each is received by itself
    }
    wire.send("y");
    expect_equal(co_await next(from, 9), std::string("y"), "what was read beside receives that nobody reads");
    over = true;
}

void beside_busy(environment& env) {
    std::atomic<bool> over{false};
    const auto e = env.make_executor();
    chm_reactor* const r = e->reactor();
    if (!r || !sdk::recv_ops_of(r)) throw skipped("it does not receive by completion");
    for (unsigned i = 0; i < 4; ++i)
        e->spawn([&over](chm_waker* w) {
            if (over) return CHM_READY;
            wake_by_ref(w);
            return CHM_PENDING;
        });
    e->spawn(read_beside_unread(r, over));
    e->run_until_idle();
}

sdk::task<void> refusals(chm_reactor* r, environment&) {
    const chm_recv_ops& ops = *sdk::recv_ops_of(r);
    const socket_pair wire;
    chm_recv* second = nullptr;
    sdk::receiver from = receiver_on(r, wire.near());
    expect_code(ops.start(r, wire.near(), 0, &second), CHM_E_STATE, "the result of a second receive on one socket");
    expect_code(ops.start(r, -1, 0, &second), CHM_E_INVAL, "the result of a receive on -1");
    wire.send("x");
    expect_equal(co_await next(from, 9), std::string("x"), "what the first receive read");
}

void affinity(environment& env) {
    const auto e = env.make_executor();
    chm_reactor* const r = e->reactor();
    const chm_recv_ops* const ops = r ? sdk::recv_ops_of(r) : nullptr;
    if (!ops) throw skipped("it does not receive by completion");
    if (r->vt->flags & CHM_REACTOR_ANY_THREAD) throw skipped("its reactor is for any thread");
    const socket_pair wire;
    chm_recv* made = nullptr;
    expect_code(ops->start(r, wire.near(), 0, &made), CHM_E_AFFINITY, "the result of a receive outside of its workers");
}

template <reactor_body Body>
void everywhere(environment& env) {
    {
        const auto e = env.make_executor();
        if (!e->reactor() || !sdk::recv_ops_of(e->reactor())) throw skipped("it does not receive by completion");
    }
    on_every_thread(env, Body);
}

constexpr test_case cases[] = {
    {"receive.in_order", kind::reactor, "Every byte is received in order, whatever the size of the reader's buffer",
     everywhere<in_order>},
    {"receive.only_looks", kind::reactor, "A poll without capacity takes nothing", everywhere<only_looks>},
    {"receive.end_stays", kind::reactor, "The end is reported after the last bytes, and stays reported",
     everywhere<end_stays>},
    {"receive.error_told", kind::reactor, "A reset is reported with its errno, and stays reported",
     everywhere<error_told>},
    {"receive.wakers", kind::reactor, "A receive wakes the waker of its last poll, and none after close",
     everywhere<wakers>},
    {"receive.number_reused", kind::reactor, "A closed receive does not affect the next socket with the same number",
     everywhere<number_reused>},
    {"receive.beside_writes", kind::reactor, "Room to write is reported while a receive is open",
     everywhere<beside_writes>},
    {"receive.slow_reader", kind::reactor, "An unread peer has to wait, and other peers do not",
     everywhere<slow_reader>},
    {"receive.many_unread", kind::reactor, "Unread bytes of many sockets are neither mixed up nor lost",
     everywhere<many_unread>},
    {"receive.beside_busy", kind::reactor,
     "Unread bytes do not delay other receives, even while tasks are always ready", beside_busy},
    {"receive.refusals", kind::reactor, "A second receive on a socket, and a receive on something else, are refused",
     everywhere<refusals>},
    {"receive.affinity", kind::reactor, "An affine reactor refuses a receive on another thread", affinity},
};

} // namespace

std::span<const test_case> receive_cases() { return cases; }

} // namespace chimera::conformance
