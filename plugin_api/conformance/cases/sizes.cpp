// Structs that a caller of another minor fills: smaller than the plugin knows them, or larger.

#include <array>
#include <cstring>
#include <memory>

#include "../kit/client.hpp"
#include "../kit/on_reactor.hpp"
#include "../scripted_server/scripted_server.hpp"
#include "chimera/sdk/reactor.hpp"

namespace chimera::conformance {

namespace {

constexpr unsigned char unknown = 0xA5; // what members of a later minor hold: nothing that could be used by mistake

/// A struct as a later minor may have it: more at its tail, and `size` says so.
template <class T>
struct grown {
    T known{};
    std::array<unsigned char, 64> tail;

    grown() {
        known.size = sizeof *this;
        tail.fill(unknown);
    }
    bool tail_is_untouched() const {
        for (const unsigned char byte : tail)
            if (byte != unknown) return false;
        return true;
    }
};

void smaller_spawn_options(environment& env) {
    const auto e = env.make_executor();
    for (const std::uint32_t size : {4U, 8U, 12U, 16U}) {
        chm_spawn_opts smaller;
        std::memset(&smaller, unknown, sizeof smaller);
        smaller.size = size;
        if (size >= 8) smaller.hint = CHM_HINT_ANY;
        e->spawn([](chm_waker*) { return CHM_READY; }, &smaller);
    }
    e->run_until_idle();
}

/// A head that has grown, awaited as the SDK awaits its own.
class grown_head final : public sdk::awaitable {
  public:
    explicit grown_head(chm_exchange* raw) : raw_(raw) {}
    bool poll(chm_waker* waker) override {
        rc_ = raw_->vt->poll_head(raw_, waker, &head_.known, error_.abi());
        return rc_ != CHM_PENDING;
    }
    const grown<chm_head>& await_resume() const {
        error_.check(rc_);
        return head_;
    }

  private:
    chm_exchange* raw_;
    grown<chm_head> head_;
    chm_rc rc_ = CHM_PENDING;
    sdk::error_buffer error_;
};

void larger_head(environment& env) {
    case_server server(env, [](peer& p) {
        p.request();
        p.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        sdk::exchange x = client::start(s, {});
        grown_head awaited(const_cast<chm_exchange*>(x.get()));
        const grown<chm_head>& head = co_await awaited;
        expect_equal(head.known.status, 201, "the status");
        expect_equal(head.known.size, std::uint32_t{sizeof head}, "the size, which is the caller's,");
        expect(head.tail_is_untouched(), "nothing may be written that the plugin does not know");
    };
    c.run(body());
}

void timings(environment& env) {
    case_server server(env, [](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    const client c(env);
    const auto* ext =
        static_cast<const chm_timing_ext*>(c.transport()->vt->get_extension(c.transport(), CHM_EXT_TIMING));
    if (!ext) throw skipped("it has no timing extension");
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        sdk::exchange x = client::start(s, {});
        co_await x.head();
        for (const std::uint32_t size : {4U, 16U, 24U, 40U, 48U, 112U}) {
            grown<chm_exchange_timing> all;
            auto* bytes = reinterpret_cast<unsigned char*>(&all);
            std::memset(bytes, unknown, sizeof all);
            all.known.size = size;
            ext->read(x.get(), &all.known);
            expect_equal(all.known.size, size, "the size, which is the caller's,");
            for (std::size_t i = size; i < sizeof all; ++i)
                expect(bytes[i] == unknown, "nothing may be written behind the caller's size");
            expect(all.tail_is_untouched(), "nothing may be written that the plugin does not know");
            if (size >= 24) expect(all.known.connected_ns > 0, "what the caller has must be filled");
        }
    };
    c.run(body());
}

sdk::task<void> receive_grown(chm_reactor* r, environment&) {
    const chm_recv_ops& ops = *sdk::recv_ops_of(r);
    socket_pair wire;
    chm_recv* raw = nullptr;
    expect_code(ops.start(r, wire.near(), 0, &raw), CHM_OK, "the result of start");
    const auto close = [&](chm_recv* open) { ops.close(r, open); };
    const std::unique_ptr<chm_recv, decltype(close)> owner(raw, close);
    wire.send("abc");
    wire.close_far();
    std::array<char, 3> bytes;
    for (const chm_rc wanted : {CHM_READY, CHM_END}) {
        grown<chm_received> got;
        chm_rc rc = CHM_PENDING;
        const auto polled = [&] {
            rc = ops.poll(r, raw, nullptr, bytes.data(), bytes.size(), &got.known);
            return rc != CHM_PENDING;
        };
        auto waiting = yield_until(polled, "the receive to answer");
        co_await waiting;
        expect_equal(rc, wanted, "the result of poll");
        expect_equal(got.known.size, std::uint32_t{sizeof got}, "the size, which is the caller's,");
        expect(got.tail_is_untouched(), "nothing may be written that the plugin does not know");
    }
}

void larger_received(environment& env) {
    const auto e = env.make_executor();
    if (!e->reactor() || !sdk::recv_ops_of(e->reactor())) throw skipped("it does not receive by completion");
    e->spawn(receive_grown(e->reactor(), env));
    e->run_until_idle();
}

constexpr test_case cases[] = {
    {"size.spawn_options", kind::executor, "The plugin reads no spawn option beyond the given size",
     smaller_spawn_options},
    {"size.head", kind::transport, "Of the head of a later minor, the plugin writes only the members that it knows",
     larger_head},
    {"size.timing", kind::transport, "A timing is filled as far as both sides know its members", timings},
    {"size.received", kind::reactor,
     "Of the chm_received of a later minor, the plugin writes only the members that it knows", larger_received},
};

} // namespace

std::span<const test_case> size_cases() { return cases; }

} // namespace chimera::conformance
