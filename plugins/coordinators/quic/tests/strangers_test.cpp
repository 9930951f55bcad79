// What comes from anybody: limits, address validation, versions, garbage.
#include <algorithm>

#include "simulated_network.hpp"

using namespace chimera::quic;
using namespace chimera::quic::test;
using cause = close_reason::cause;

namespace {

bool over(const world::member& m) {
    return m.link->state() == connection_state::closing || m.link->state() == connection_state::closed;
}

/// The first datagram of a client.
std::vector<std::byte> initial(std::uint64_t seed) {
    auto c = connection::connect(member_with_key("a", "a"), {}, seeded(seed), 1'000'000'000);
    std::vector<std::byte> out(2000);
    out.resize(c->write(1'000'000'000, out).bytes);
    return out;
}

/// Bytes and datagrams sent by a hub with one datagram of input.
listener_statistics answer_to(std::span<const std::byte> datagram, const listener_options& options = {}) {
    world w(1, hub_with_keys({"a"}), options);
    w.inject(address_of(9), datagram);
    w.run_for(60'000 * ms);
    CHECK(w.hub.connections() == 0);
    CHECK(w.accepted == 0);
    return w.hub.statistics();
}

} // namespace

TEST_CASE("Retry: a client shows that it receives at its address, then gets in") {
    listener_options options;
    options.retry_from = 0;
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        world w(seed, hub_with_keys({"a"}), options);
        w.network.loss = seed == 1 ? 0 : 0.2;
        auto& a = w.join(member_with_key("a", "a"));
        a.link->send(bytes_of("hello"));
        REQUIRE(w.run([&] { return w.hub_got("a").text() == "hello"; }));
        CHECK(w.hub.statistics().retries >= 1);
        CHECK(w.hub.statistics().accepted == 1);
    }
}

TEST_CASE("Retry: a token is good for its address and its time only") {
    listener_options options;
    options.retry_from = 0;
    options.retry_token_lifetime = 1000 * ms;
    world w(1, hub_with_keys({"a"}), options);
    w.keep = true;
    auto& a = w.join(member_with_key("a", "a"));
    REQUIRE(w.run([&] { return a.link->state() == connection_state::open; }));
    REQUIRE(w.to_hub.size() > 1);
    const auto with_token = w.to_hub[1];
    w.run_for(100 * ms);
    a.link->close(0, "");
    REQUIRE(w.run([&] { return w.hub.connections() == 0; }, 500 * ms));
    w.inject(address_of(77), with_token);
    w.run_for(ms);
    CHECK(w.hub.statistics().bad_token == 1);
    w.run_for(2000 * ms);
    w.inject(a.at, with_token);
    w.run_for(ms);
    CHECK(w.hub.statistics().bad_token == 2);
    CHECK(w.hub.connections() == 0);
    auto broken = with_token;
    broken[60] ^= std::byte{1}; // in the token
    w.inject(a.at, broken);
    w.run_for(ms);
    CHECK(w.hub.statistics().bad_token == 3);
}

TEST_CASE(
    "Retry begins with the number of handshakes in progress, and a flood makes no more connections than allowed") {
    listener_options options;
    options.retry_from = 4;
    options.max_handshakes = 8;
    world w(1, hub_with_keys({"a"}), options);
    for (std::uint64_t i = 0; i < 50; ++i) w.inject(address_of(100), initial(i));
    w.run_for(ms);
    CHECK(w.hub.handshakes() == 4);
    CHECK(w.hub.statistics().retries == 46);
    // One who is in earnest still gets in.
    auto& a = w.join(member_with_key("a", "a"));
    a.link->send(bytes_of("hello"));
    CHECK(w.run([&] { return w.hub_got("a").text() == "hello"; }, 1000 * ms));
    w.run_for(20'000 * ms); // the flood's handshakes time out
    CHECK(w.hub.handshakes() == 0);
    CHECK(w.hub.connections() == 1);
}

TEST_CASE("limits: handshakes in progress, and connections") {
    listener_options options;
    options.retry_from = 1000;
    options.max_handshakes = 3;
    {
        world w(1, hub_with_keys({"a"}), options);
        for (std::uint64_t i = 0; i < 10; ++i) w.inject(address_of(100), initial(i));
        w.run_for(ms);
        CHECK(w.hub.connections() == 3);
        CHECK(w.hub.statistics().over_handshakes == 7);
    }
    options.max_connections = 2;
    world w(2, hub_with_keys({"a", "b", "c"}), options);
    auto& a = w.join(member_with_key("a", "a"));
    auto& b = w.join(member_with_key("b", "b"));
    REQUIRE(w.run([&] { return w.accepted == 2; }));
    auto& c = w.join(member_with_key("c", "c"));
    REQUIRE(w.run([&] { return over(c); }, 1000 * ms));
    CHECK(c.link->reason().what == cause::refused);
    CHECK(c.link->reason().text == "the hub has no room: too many connections");
    CHECK(a.link->state() == connection_state::open);
    CHECK(b.link->state() == connection_state::open);
}

TEST_CASE("an acceptor may decline") {
    world w(3, hub_with_keys({"a"}));
    w.welcome = false;
    auto& a = w.join(member_with_key("a", "a"));
    a.link->send(bytes_of("hello"));
    REQUIRE(w.run([&] { return over(a); }, 1000 * ms));
    CHECK(a.link->reason().what == cause::closed_by_peer);
    CHECK(a.link->reason().text == "not wanted");
    w.run([&] { return w.hub.connections() == 0; });
    CHECK(w.removed == 1);
}

TEST_CASE("another version of QUIC is answered with version 1, a small packet of it is not") {
    auto other = initial(1);
    other[1] = other[2] = other[3] = other[4] = std::byte{0x1a};
    auto s = answer_to(other);
    CHECK(s.version_negotiations == 1);
    CHECK(s.datagrams_out == 1);
    CHECK(s.bytes_out < 64);
    // A draft, which ngtcp2 would speak.
    other[1] = std::byte{0xff}, other[2] = std::byte{0}, other[3] = std::byte{0}, other[4] = std::byte{29};
    CHECK(answer_to(other).version_negotiations == 1);
    other.resize(1000);
    s = answer_to(other);
    CHECK(s.datagrams_out == 0);
    CHECK(s.malformed == 1);
}

TEST_CASE("a client that is told of another version gives up with words") {
    auto c = connection::connect(member_with_key("a", "a"), {}, seeded(1), 1);
    std::vector<std::byte> out(2000);
    REQUIRE(c->write(1, out).bytes > 0);
    // Version Negotiation: its ids are the client's, exchanged.
    std::vector<std::byte> answer{std::byte{0xc0}, {}, {}, {}, {}, std::byte{8}};
    const auto from = out.begin() + 15, to = out.begin() + 6;
    REQUIRE(out[5] == std::byte{8});
    REQUIRE(out[14] == std::byte{8});
    answer.insert(answer.end(), from, from + 8);
    answer.push_back(std::byte{8});
    answer.insert(answer.end(), to, to + 8);
    for (const auto b : {0x1a, 0x2a, 0x3a, 0x4a}) answer.push_back(static_cast<std::byte>(b));
    c->read(2, answer);
    CHECK(c->state() == connection_state::closed);
    CHECK(c->reason().text == "the hub does not speak QUIC version 1");
}

TEST_CASE("garbage is dropped and counted, and answered by nothing") {
    std::mt19937_64 rng(1);
    world w(4, hub_with_keys({"a"}));
    auto& a = w.join(member_with_key("a", "a"));
    REQUIRE(w.run([&] { return w.accepted == 1; }));
    w.run_for(1000 * ms);
    const auto before = w.hub.statistics();
    w.inject(address_of(9), {});
    for (int i = 0; i < 5000; ++i) {
        auto garbage = pattern(rng() % 1500, rng());
        if (!garbage.empty() && i % 3 == 0) garbage[0] = static_cast<std::byte>(0x40 | (rng() % 64)); // short header
        // Long headers of version 1.
        if (garbage.size() > 6 && i % 3 == 1) {
            garbage[0] = static_cast<std::byte>(0xc0 | (rng() % 64));
            garbage[1] = garbage[2] = garbage[3] = std::byte{0};
            garbage[4] = std::byte{1};
            garbage[5] = static_cast<std::byte>(rng() % 24);
        }
        w.inject(i % 2 == 0 ? a.at : address_of(9), garbage);
    }
    w.run_for(30'000 * ms);
    const auto after = w.hub.statistics();
    CHECK(after.dropped - before.dropped + (after.version_negotiations - before.version_negotiations) +
              (after.refused - before.refused) + (after.bad_token - before.bad_token) >
          4900);
    CHECK(after.bytes_out - before.bytes_out < after.bytes_in - before.bytes_in);
    CHECK(w.hub.connections() <= 1);
    CHECK(w.accepted == 1);
}

TEST_CASE(
    "every bit of a first packet flipped, and every length: no harm, and never more than three times as many bytes") {
    const auto first = initial(5);
    for (std::size_t bit = 0; bit < first.size() * 8; bit += bit < 512 ? 1 : 61) {
        auto broken = first;
        broken[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        CHECK(answer_to(broken).bytes_out <= 3 * broken.size());
    }
    for (std::size_t n = 0; n < first.size(); n += 7) {
        const auto s = answer_to(std::span(first).first(n));
        CHECK(s.datagrams_out == 0);
        CHECK(s.dropped == 1);
    }
    // Whole, from one who never answers.
    const auto s = answer_to(first);
    CHECK(s.datagrams_out > 0);
    CHECK(s.bytes_out <= 3 * first.size());
    CHECK(s.refused == 1);
}

TEST_CASE("packets of a connection from another address are dropped") {
    world w(6, hub_with_keys({"a"}));
    w.keep = true;
    auto& a = w.join(member_with_key("a", "a"));
    REQUIRE(w.run([&] { return w.accepted == 1; }));
    w.run_for(100 * ms);
    w.to_hub.clear();
    w.network.loss = 1;
    a.link->send(bytes_of("hello"));
    w.run_for(ms);
    w.network.loss = 0;
    REQUIRE_FALSE(w.to_hub.empty());
    w.inject(address_of(200), w.to_hub[0]);
    w.run_for(ms / 100);
    CHECK(w.hub.statistics().wrong_address == 1);
    CHECK(w.hub_got("a").got.empty());
    // Its own copy is delivered once, and a replay not again.
    w.inject(a.at, w.to_hub[0]);
    w.inject(a.at, w.to_hub[0]);
    w.run_for(ms / 100);
    CHECK(w.hub_got("a").text() == "hello");
}

TEST_CASE("a member ignores what is not of its connection") {
    world w(7, hub_with_keys({"a"}));
    auto& a = w.join(member_with_key("a", "a"));
    std::mt19937_64 rng(7);
    for (int i = 0; i < 300; ++i) a.link->read(w.now(), pattern(rng() % 1500, rng()));
    a.link->send(bytes_of("hello"));
    CHECK(w.run([&] { return w.hub_got("a").text() == "hello"; }));
    for (int i = 0; i < 3000; ++i) a.link->read(w.now(), pattern(rng() % 1500, rng()));
    w.hub_got("a").of->send(bytes_of("welcome"));
    CHECK(w.run([&] { return a.got.text() == "welcome"; }));
}

TEST_CASE("a sink that wants no more is served the others first in its next turn") {
    world w(8, hub_with_keys({"a", "b"}));
    w.join(member_with_key("a", "a"));
    w.join(member_with_key("b", "b"));
    REQUIRE(w.run([&] { return w.accepted == 2; }));
    w.run_for(1000 * ms);
    struct one final : datagram_sink {
        std::vector<address> to;
        bool send(const address& a, std::span<const std::byte>, std::size_t) override {
            to.push_back(a);
            return false;
        }
    } sink;
    w.at_hub("a")->send(pattern(20'000, 1));
    w.at_hub("b")->send(pattern(20'000, 1));
    for (int i = 0; i < 4; ++i) w.hub.write(w.now(), sink);
    REQUIRE(sink.to.size() == 4);
    CHECK(sink.to[0] == sink.to[2]);
    CHECK(sink.to[1] == sink.to[3]);
    CHECK_FALSE(sink.to[0] == sink.to[1]);
    CHECK(w.hub.wants_write());
}

TEST_CASE("options that make no hub are named") {
    listener_options options;
    options.max_connections = 0;
    CHECK_THROWS_WITH_AS(world(1, hub_with_keys({"a"}), options), doctest::Contains("max_connections"),
                         std::invalid_argument);
    CHECK_THROWS_AS(world(1, member_with_key("a", "a")), std::invalid_argument);
}
