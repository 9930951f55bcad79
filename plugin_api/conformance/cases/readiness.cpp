// Readiness of descriptors: what a reactor must not lose.
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "../case.hpp"
#include "../kit/on_reactor.hpp"

namespace chimera::conformance {

namespace {

sdk::task<void> data_before_register(chm_reactor* r, environment&) {
    for (unsigned i = 0; i < 20; ++i) {
        const socket_pair wire;
        wire.send("x");
        sdk::io io(r, wire.near());
        expect_equal(co_await wire.read(io), std::string("x"), "what was read");
    }
}

sdk::task<void> drained_then_new(chm_reactor* r, environment&) {
    const socket_pair wire;
    sdk::io io(r, wire.near());
    for (rounds_in rounds(std::chrono::seconds(2), scaled(2000)); rounds.next();) {
        wire.send("x");
        expect_equal(co_await wire.read(io), std::string("x"), "what was read");
    }
}

sdk::task<void> data_before_clear(chm_reactor* r, environment& env) {
    const socket_pair wire;
    sdk::io io(r, wire.near());
    std::atomic<unsigned> received{0}, all{UINT_MAX};
    const foreign_thread sending(env.probes(), [&] {
        unsigned i = 1;
        for (rounds_in rounds(std::chrono::seconds(2), scaled(4000)); rounds.next(); ++i) {
            wire.send("x");
            spin(i % 512);
            if (i % 4 == 0) wait_until([&] { return received >= i; }, "byte " + std::to_string(i) + " to be read");
        }
        all = i;
        wire.send("x");
    });
    while (received < all) {
        const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
        const std::string got = wire.receive();
        spin(received % 300); // more may come between the short read and the clear
        io.drained(seen, CHM_IO_READ);
        received += static_cast<unsigned>(got.size());
    }
}

sdk::task<void> stale_clear(chm_reactor* r, environment&) {
    const socket_pair wire;
    sdk::io io(r, wire.near());
    sdk::timer rest(r);
    for (unsigned i = 0; i < 50; ++i) {
        wire.send("x");
        const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
        wire.receive();
        wire.send("y");
        co_await rest.after(500'000); // the reactor has had time to learn of it
        io.drained(seen, CHM_IO_READ);
        expect_equal(co_await wire.read(io), std::string("y"), "what was read after a stale clear");
    }
}

sdk::task<void> recheck(chm_reactor* r, environment&) {
    const socket_pair wire;
    sdk::io io(r, wire.near());
    for (unsigned i = 0; i < 100; ++i) {
        wire.send("abc");
        for (const std::string expected : {"a", "b", "c"}) {
            std::string got;
            while (got.empty()) {
                const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
                got = wire.receive(1);
                io.recheck(seen, CHM_IO_READ);
            }
            expect_equal(got, expected, "the byte read");
        }
    }
}

/// Waits for the end of the stream: what recv says when the peer has closed. Clears what it saw even then.
sdk::task<void> end_of_stream(sdk::io& io, int fd) {
    for (;;) {
        const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
        char byte;
        const ssize_t n = ::recv(fd, &byte, 1, 0);
        expect(n <= 0, "there must be no more bytes");
        io.drained(seen, CHM_IO_READ);
        if (n == 0) co_return;
        expect(errno == EAGAIN, "recv must work");
    }
}

sdk::task<void> hang_up(chm_reactor* r, environment&) {
    socket_pair wire;
    sdk::io io(r, wire.near());
    wire.send("last words");
    wire.close_far();
    expect_equal(co_await wire.read(io), std::string("last words"), "what was read after the peer closed");
    for (unsigned i = 0; i < 3; ++i) co_await end_of_stream(io, wire.near()); // it is not forgotten by a clear
}

sdk::task<void> hang_up_later(chm_reactor* r, environment& env) {
    socket_pair wire;
    sdk::io io(r, wire.near());
    wire.send("x");
    expect_equal(co_await wire.read(io), std::string("x"), "what was read");
    const foreign_thread closing(env.probes(), [&] {
        sleep_ms(5);
        wire.close_far();
    });
    co_await end_of_stream(io, wire.near());
}

sdk::task<void> half_close(chm_reactor* r, environment& env) {
    const socket_pair wire;
    sdk::io io(r, wire.near());
    const foreign_thread closing(env.probes(), [&] {
        sleep_ms(5);
        ::shutdown(wire.far(), SHUT_WR);
    });
    co_await end_of_stream(io, wire.near());
    expect_equal(::send(wire.near(), "y", 1, MSG_NOSIGNAL), ssize_t{1}, "send's result after the peer's half close");
}

/// How a peer goes.
enum class farewell { half_close, close, reset };

sdk::task<void> hang_up_without_interest(chm_reactor* r, environment& env) {
    for (const farewell how : {farewell::half_close, farewell::close, farewell::reset}) {
        socket_pair wire;
        sdk::io io(r, wire.near());
        if (how == farewell::reset)
            expect(::send(wire.near(), "x", 1, MSG_NOSIGNAL) == 1, "the near end must be able to send");
        const foreign_thread going(env.probes(), [&] {
            sleep_ms(5);
            if (how == farewell::half_close)
                ::shutdown(wire.far(), SHUT_WR);
            else
                wire.close_far(); // with a byte unread: a reset
        });
        const std::uint32_t wanted = how == farewell::reset ? CHM_IO_HUP | CHM_IO_ERR : std::uint32_t{CHM_IO_HUP};
        for (unsigned i = 0; i < 2; ++i) { // it is not forgotten by a clear
            const std::uint32_t seen = co_await io.ready(0);
            expect((seen & wanted) != 0, "without an interest, only an end or an error is something to report");
            io.drained(seen, CHM_IO_READ | CHM_IO_WRITE);
        }
    }
}

/// Sends until the buffers are full; returns how much they took.
sdk::task<std::size_t> fill(sdk::io& io, int fd) {
    const std::string block(16 * 1024, 'x');
    std::size_t total = 0;
    for (;;) {
        const std::uint32_t seen = co_await io.ready(CHM_IO_WRITE);
        const ssize_t n = ::send(fd, block.data(), block.size(), MSG_NOSIGNAL);
        if (n < 0) {
            expect(errno == EAGAIN, "send must work");
            io.drained(seen, CHM_IO_WRITE);
            co_return total;
        }
        total += static_cast<std::size_t>(n);
    }
}

sdk::task<void> write_readiness(chm_reactor* r, environment& env) {
    const socket_pair wire;
    sdk::io io(r, wire.near());
    for (unsigned i = 0; i < 10; ++i) {
        std::size_t left = co_await fill(io, wire.near());
        expect(left > 0, "a new connection must be ready for writing");
        const foreign_thread emptying(env.probes(), [&] {
            sleep_ms(1);
            std::string buffer(64 * 1024, '\0');
            while (left > 0) {
                const ssize_t n = ::recv(wire.far(), buffer.data(), buffer.size(), 0);
                expect(n > 0, "the far end must be able to receive");
                left -= static_cast<std::size_t>(n);
            }
        });
        co_await io.ready(CHM_IO_WRITE);
    }
}

sdk::task<void> both_directions(chm_reactor* r, environment& env) {
    const socket_pair wire;
    sdk::io io(r, wire.near());
    std::size_t unsent = co_await fill(io, wire.near());
    wire.send("x"); // readable while not writable
    expect_equal(co_await wire.read(io), std::string("x"), "what was read beside a full buffer");
    const foreign_thread emptying(env.probes(), [&] {
        std::string buffer(64 * 1024, '\0');
        while (unsent > 0) unsent -= static_cast<std::size_t>(::recv(wire.far(), buffer.data(), buffer.size(), 0));
    });
    co_await io.ready(CHM_IO_READ | CHM_IO_WRITE); // either will do
}

template <reactor_body Body>
void everywhere(environment& env) {
    on_every_thread(env, Body);
}

constexpr test_case cases[] = {
    {"io.data_before_register", kind::reactor, "Data that arrived before the registration is reported",
     everywhere<data_before_register>},
    {"io.drained_then_new", kind::reactor, "New data after a clear is reported", everywhere<drained_then_new>},
    {"io.data_before_clear", kind::reactor, "Data that arrives between a short read and its clear is not lost",
     everywhere<data_before_clear>},
    {"io.stale_clear", kind::reactor, "A clear that is out of date loses no event", everywhere<stale_clear>},
    {"io.recheck", kind::reactor, "A recheck reports unread data again", everywhere<recheck>},
    {"io.hang_up", kind::reactor, "A closed peer is reported together with its last data, and stays reported",
     everywhere<hang_up>},
    {"io.hang_up_later", kind::reactor, "A peer that closes later wakes the waiting task", everywhere<hang_up_later>},
    {"io.half_close", kind::reactor, "A peer that stops sending wakes the waiting task", everywhere<half_close>},
    {"io.hang_up_without_interest", kind::reactor,
     "A peer that closes wakes a task that waits for neither reading nor writing",
     everywhere<hang_up_without_interest>},
    {"io.write_readiness", kind::reactor, "Room in a full send buffer is reported", everywhere<write_readiness>},
    {"io.both_directions", kind::reactor, "Reading works while the send buffer is full", everywhere<both_directions>},
};

} // namespace

std::span<const test_case> readiness_cases() { return cases; }

} // namespace chimera::conformance
