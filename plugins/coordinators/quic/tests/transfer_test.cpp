// Bytes arrive: all, once and in order, over good networks and bad ones.
#include <set>

#include "simulated_network.hpp"

using namespace chimera::quic;
using namespace chimera::quic::test;
using cause = close_reason::cause;

namespace {

struct pair {
    explicit pair(std::uint64_t seed, const connection_options& options = {}, std::size_t segments = 1)
        : w(seed, hub_with_keys({"a"}), with(options), segments), a(w.join(member_with_key("a", "a"), options)) {}
    static listener_options with(const connection_options& options) {
        listener_options l;
        l.connection = options;
        return l;
    }
    bool open() {
        return w.run([&] { return a.link->state() == connection_state::open && w.at_hub("a"); });
    }
    connection& hub() { return *w.at_hub("a"); }

    world w;
    world::member& a;
};

} // namespace

TEST_CASE("a member and the hub exchange bytes") {
    pair p(1);
    REQUIRE(p.a.link->send(bytes_of("hello")));
    REQUIRE(p.w.run([&] { return p.w.hub_got("a").text() == "hello"; }));
    CHECK(p.a.link->state() == connection_state::open);
    CHECK(p.a.link->peer_name() == "hub");
    CHECK(p.hub().peer_name() == "a");
    CHECK(p.hub().send(bytes_of("welcome")));
    REQUIRE(p.w.run([&] { return p.a.got.text() == "welcome"; }));
    // Two round trips of 0.2 ms, and no timer.
    CHECK(p.w.now() < 1'000'000'000 + ms);
}

TEST_CASE("the hub may speak first") {
    pair p(2);
    REQUIRE(p.open());
    p.hub().send(bytes_of("hello"));
    CHECK(p.w.run([&] { return p.a.got.text() == "hello"; }, 10 * ms));
}

TEST_CASE("1 MiB both ways with 10 % loss, doubled and reordered datagrams") {
    pair p(3);
    p.w.network = {.loss = 0.1, .doubled = 0.05, .delay = ms / 10, .jitter = ms};
    const auto up = pattern(1 << 20, 1), down = pattern(1 << 20, 2);
    p.a.link->send(up);
    REQUIRE(p.w.run([&] { return p.w.at_hub("a") != nullptr; }));
    p.hub().send(down);
    REQUIRE(p.w.run([&] { return p.w.hub_got("a").got.size() >= up.size() && p.a.got.got.size() >= down.size(); }));
    CHECK((p.w.hub_got("a").got == up));
    CHECK((p.a.got.got == down));
    REQUIRE(p.w.run([&] { return p.a.link->unacknowledged() == 0 && p.a.link->unsent() == 0; }));
    CHECK(p.a.link->statistics().lost_packets > 10);
}

TEST_CASE("corrupted and truncated datagrams do no harm") {
    pair p(4);
    p.w.network = {.corrupted = 0.1};
    const auto up = pattern(300'000, 1);
    p.a.link->send(up);
    REQUIRE(p.w.run([&] { return p.w.hub_got("a").got.size() >= up.size(); }));
    CHECK((p.w.hub_got("a").got == up));
}

TEST_CASE("many small messages share datagrams, and an acknowledgement serves many") {
    pair p(5);
    REQUIRE(p.open());
    const auto before = p.w.hub.statistics();
    std::vector<std::byte> all;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const auto message = pattern(16 + i % 7, i);
        all.insert(all.end(), message.begin(), message.end());
        p.a.link->send(message);
    }
    REQUIRE(p.w.run([&] { return p.w.hub_got("a").got.size() >= all.size() && p.a.link->unacknowledged() == 0; },
                    100 * ms));
    CHECK((p.w.hub_got("a").got == all));
    CHECK(p.w.hub.statistics().datagrams_in - before.datagrams_in < 25);
    CHECK(p.w.hub.statistics().datagrams_out - before.datagrams_out < 8);
}

TEST_CASE("a round trip of a small message is one datagram each way and one acknowledgement") {
    pair p(6, {.max_udp_payload = 1452, .probe_path = false});
    REQUIRE(p.open());
    p.w.hub_got("a").echo = true;
    p.w.run_for(100 * ms);
    const auto before = p.a.link->statistics();
    const auto start = p.w.now();
    for (std::size_t i = 1; i <= 100; ++i) {
        p.a.link->send(pattern(256, i));
        REQUIRE(p.w.run([&] { return p.a.got.got.size() == i * 256; }));
    }
    CHECK(p.w.now() - start == 100 * 2 * (ms / 10)); // no timer delays anything
    const auto after = p.a.link->statistics();
    CHECK(after.datagrams_in - before.datagrams_in == 100);
    CHECK(after.datagrams_out - before.datagrams_out <= 201);
}

TEST_CASE("a receiver that does not consume stops the sender at the window") {
    pair p(7, {.receive_window = 64 * 1024});
    REQUIRE(p.open());
    auto& got = p.w.hub_got("a");
    got.hold = true;
    p.a.link->send(pattern(1 << 20, 1));
    p.w.run_for(1000 * ms);
    CHECK(got.got.size() == 64 * 1024);
    CHECK(p.a.link->unsent() == (1 << 20) - 64 * 1024);
    CHECK(p.a.link->unacknowledged() == 0);
    p.hub().consumed(64 * 1024);
    p.w.run_for(1000 * ms);
    CHECK(got.got.size() == 128 * 1024);
    got.hold = false;
    p.hub().consumed(64 * 1024);
    REQUIRE(p.w.run([&] { return got.got.size() == 1 << 20; }));
    CHECK((got.got == pattern(1 << 20, 1)));
}

TEST_CASE("idle connections end on both sides, and keep-alive prevents it") {
    pair p(8, {.idle_timeout = 500 * ms});
    REQUIRE(p.open());
    auto& hub_side = p.w.hub_got("a");
    p.w.run_for(2000 * ms);
    CHECK(p.a.link->state() == connection_state::closed);
    CHECK(p.a.link->reason().what == cause::idle_timeout);
    CHECK(p.a.got.closed == 1);
    CHECK(hub_side.closed == 1);
    CHECK(p.w.hub.connections() == 0);
    CHECK(p.w.removed == 1);

    pair kept(9, {.idle_timeout = 500 * ms, .keep_alive = 200 * ms});
    REQUIRE(kept.open());
    kept.w.run_for(5000 * ms);
    CHECK(kept.a.link->state() == connection_state::open);
}

TEST_CASE("a hub that is away ends the handshake") {
    pair p(10, {.handshake_timeout = 1000 * ms});
    p.w.network.loss = 1;
    p.w.run_for(3000 * ms);
    CHECK(p.a.link->state() == connection_state::closed);
    CHECK(p.a.link->reason().what == cause::handshake_timeout);
    CHECK(p.a.link->expiry() == UINT64_MAX);
}

TEST_CASE("a close brings its code and reason") {
    SUBCASE("of the member") {
        pair p(11);
        REQUIRE(p.open());
        auto& hub_side = p.hub();
        p.a.link->close(7, "going home");
        CHECK(p.a.link->reason().what == cause::closed_here);
        REQUIRE(p.w.run([&] { return p.w.hub_got("a").closed == 1; }));
        CHECK(hub_side.reason().what == cause::closed_by_peer);
        CHECK(hub_side.reason().code == 7);
        CHECK(hub_side.reason().text == "going home");
        p.w.run([&] { return p.w.hub.connections() == 0 && p.a.link->state() == connection_state::closed; });
        CHECK(p.w.removed == 1);
        CHECK(p.w.now() < 1'000'000'000 + 1000 * ms);
    }
    SUBCASE("of the hub, for all") {
        pair p(12);
        REQUIRE(p.open());
        p.w.hub.close(3, "shutdown");
        REQUIRE(p.w.run([&] { return p.a.got.closed == 1; }));
        CHECK(p.a.link->reason().code == 3);
        CHECK(p.a.link->reason().text == "shutdown");
        CHECK_FALSE(p.a.link->send(bytes_of("late")));
    }
    SUBCASE("whose packet was lost: the next packet from the peer is answered with it") {
        pair p(13);
        REQUIRE(p.open());
        p.w.network.loss = 1;
        p.hub().close(4, "again");
        p.w.run_for(ms / 100);
        p.w.network.loss = 0;
        CHECK(p.a.link->state() == connection_state::open);
        p.a.link->send(bytes_of("hello?"));
        REQUIRE(p.w.run([&] { return p.a.got.closed == 1; }, 100 * ms));
        CHECK(p.a.link->reason().code == 4);
    }
    SUBCASE("from inside on_bytes") {
        pair p(14);
        REQUIRE(p.open());
        struct closer final : receiver {
            connection* c = nullptr;
            int pieces = 0, closed = 0;
            void on_bytes(std::span<const std::byte>) noexcept override {
                ++pieces;
                c->close(5, "enough");
            }
            void on_closed() noexcept override { ++closed; }
        } r;
        r.c = &p.hub();
        p.hub().set_receiver(&r);
        p.a.link->send(pattern(100'000, 1));
        REQUIRE(p.w.run([&] { return p.a.got.closed == 1; }));
        CHECK(p.a.link->reason().code == 5);
        CHECK(r.pieces == 1);
        CHECK(r.closed == 1);
    }
}

TEST_CASE("finish() delivers everything, then ends") {
    for (std::uint64_t seed = 20; seed < 40; ++seed) {
        pair p(seed);
        p.w.network = {.loss = 0.2};
        const auto up = pattern(50'000, seed);
        p.a.link->send(up);
        p.a.link->finish();
        CHECK_FALSE(p.a.link->send(bytes_of("late")));
        REQUIRE(p.w.run([&] { return p.a.link->state() == connection_state::closed; }));
        CHECK(p.a.link->reason().what == cause::finished);
        CHECK((p.w.hub_got("a").got == up));
        CHECK(p.w.hub_got("a").ended);
    }
}

TEST_CASE("options of the path: sizes of datagrams, trains of them, pacing, reno") {
    const auto up = pattern(1 << 20, 1);
    auto transfer = [&](const connection_options& options, std::size_t segments) {
        pair p(50, options, segments);
        p.a.link->send(up);
        REQUIRE(p.w.run([&] { return p.w.hub_got("a").got.size() == up.size(); }));
        CHECK((p.w.hub_got("a").got == up));
        return p.w.biggest;
    };
    CHECK(transfer({}, 1) == 1444); // the largest of the sizes that ngtcp2 tries
    CHECK(transfer({}, 10) == 1444);
    CHECK(transfer({.max_udp_payload = 1300}, 1) <= 1300);
    CHECK(transfer({.max_udp_payload = 1400, .probe_path = false}, 1) == 1400);
    CHECK(transfer({.max_udp_payload = 16384, .probe_path = false}, 1) == 16384);
    CHECK(transfer({.max_udp_payload = 16384, .probe_path = false}, 4) == 16384);
    CHECK(transfer({.congestion = congestion_control::reno}, 1) == 1444);
    CHECK(transfer({.pacing = true}, 1) == 1444);
    CHECK_THROWS_WITH_AS(transfer({.max_udp_payload = 9000}, 1), doctest::Contains("max_udp_payload"),
                         std::invalid_argument);
}

TEST_CASE("a path that loses large datagrams still carries bytes") {
    // As above 1300 bytes a tunnel would drop them: probes are lost, and data keeps to what passes.
    pair p(51);
    p.w.largest = 1300;
    const auto up = pattern(200'000, 1);
    p.a.link->send(up);
    REQUIRE(p.w.run([&] { return p.w.hub_got("a").got.size() == up.size(); }));
    CHECK((p.w.hub_got("a").got == up));
}

TEST_CASE("a train of datagrams has equal sizes but the last") {
    pair p(52, {.max_udp_payload = 1400, .probe_path = false}, 8);
    REQUIRE(p.open());
    p.a.link->send(pattern(1400 * 5, 1));
    std::vector<std::byte> out(1400 * 8);
    const auto w = p.a.link->write(p.w.now(), out);
    CHECK(w.segment == 1400);
    CHECK(w.count() == 6);
    CHECK(w.bytes > 5 * 1400);
    CHECK(w.bytes < 6 * 1400);
}

TEST_CASE("200 networks: every byte arrives, and a seed gives the same trace twice") {
    std::set<std::uint64_t> traces;
    for (std::uint64_t seed = 1000; seed < 1200; ++seed) {
        auto once = [seed] {
            std::mt19937_64 rng(seed);
            pair p(seed);
            p.w.network.loss = static_cast<double>(rng() % 25) / 100;
            p.w.network.doubled = static_cast<double>(rng() % 20) / 100;
            p.w.network.corrupted = static_cast<double>(rng() % 10) / 100;
            p.w.network.delay = rng() % (2 * ms) + 1;
            p.w.network.jitter = rng() % (4 * ms);
            const auto up = pattern(rng() % 60'000 + 1, seed);
            p.w.hub_got("a").echo = true;
            p.a.link->send(up);
            REQUIRE(p.w.run([&] { return p.a.got.got.size() >= up.size(); }));
            CHECK((p.a.got.got == up));
            CHECK((p.w.hub_got("a").got == up));
            return p.w.trace();
        };
        const auto first = once();
        CHECK(first == once());
        traces.insert(first);
    }
    CHECK(traces.size() == 200);
}
