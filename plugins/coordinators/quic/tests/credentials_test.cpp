// Who gets in, and what the others are told.
#include "certificates.hpp"
#include "simulated_network.hpp"

using namespace chimera::quic;
using namespace chimera::quic::test;
using cause = close_reason::cause;

namespace {

bool over(const world::member& m) {
    return m.link->state() == connection_state::closing || m.link->state() == connection_state::closed;
}

struct certified {
    authority ours{"our authority"}, theirs{"another authority"};
    std::shared_ptr<const credentials> hub = hub_with(ours.issue("hub", "hub.example"));

    std::shared_ptr<const credentials> hub_with(const issued& i) const {
        return credentials::hub_with_certificate({i.certificate, i.key, ours.pem()});
    }
    std::shared_ptr<const credentials> member_with(const issued& i, const std::string& hub_name = "hub.example") const {
        return credentials::member_with_certificate({i.certificate, i.key, ours.pem()}, hub_name);
    }
};

} // namespace

TEST_CASE("keys: each member is known by its own name") {
    world w(1, hub_with_keys({"a", "b"}));
    auto& a = w.join(member_with_key("a", "a"));
    auto& b = w.join(member_with_key("b", "b"));
    a.link->send(bytes_of("from a"));
    b.link->send(bytes_of("from b"));
    REQUIRE(w.run([&] { return w.hub_got("a").text() == "from a" && w.hub_got("b").text() == "from b"; }));
    CHECK(w.hub.statistics().accepted == 2);
    CHECK(w.hub.handshakes() == 0);
}

TEST_CASE("keys: a wrong key and an unknown name are refused, and the member cannot tell which") {
    world w(2, hub_with_keys({"a"}));
    auto& wrong = w.join(member_with_key("a", "something else"));
    REQUIRE(w.run([&] { return over(wrong); }, 1000 * ms));
    auto& stranger = w.join(member_with_key("b", "b"));
    REQUIRE(w.run([&] { return over(stranger); }, 1000 * ms));

    CHECK(wrong.link->reason().what == cause::refused);
    CHECK(wrong.link->reason().text.starts_with(
        "the hub refused \"a\": it does not know the name, or has another key for it"));
    CHECK(stranger.link->reason().what == cause::refused);
    CHECK(stranger.link->reason().text.substr(20) == wrong.link->reason().text.substr(20)); // after the name
    REQUIRE(w.refused.size() == 2);
    CHECK(w.refused[0].second.text == "wrong key of member \"a\"");
    CHECK(w.refused[1].second.text == "unknown member \"b\"");
    CHECK(w.hub.statistics().accepted == 0);
    CHECK(w.hub.statistics().refused == 2);
    CHECK(w.hub_got("a").got.empty());
    // No text holds a key.
    for (const auto& [from, why] : w.refused) CHECK(why.text.find("something else") == std::string::npos);
    CHECK(wrong.link->reason().text.find("something else") == std::string::npos);
    w.run_for(5000 * ms);
    CHECK(w.hub.connections() == 0);
}

TEST_CASE("keys: what is sent before a refusal is not delivered") {
    world w(3, hub_with_keys({"a"}));
    auto& wrong = w.join(member_with_key("a", "wrong"));
    wrong.link->send(bytes_of("let me in"));
    w.run_for(1000 * ms);
    CHECK(w.hub_got("a").got.empty());
    CHECK(w.accepted == 0);
    CHECK(wrong.got.closed == 1);
}

TEST_CASE("keys and names that are none are named") {
    auto hub = [](std::string name, std::size_t size) {
        std::vector<member_key> keys;
        keys.push_back({std::move(name), secret(pattern(size, 1))});
        return credentials::hub_with_keys(std::move(keys));
    };
    CHECK_THROWS_WITH_AS(hub("a", 15), doctest::Contains("key of member \"a\": 15 bytes, not 16 to 64"),
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(hub("a b", 32), doctest::Contains("name of a member"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(hub("", 32), doctest::Contains("name of a member"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(hub_with_keys({"a", "a"}), doctest::Contains("two keys"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(hub_with_keys({}), doctest::Contains("no keys"), std::invalid_argument);
    CHECK_NOTHROW(hub("a", 16));
}

TEST_CASE("certificates: both ends prove their names") {
    const certified c;
    world w(4, c.hub);
    auto& a = w.join(c.member_with(c.ours.issue("common", "a.example")));
    auto& b = w.join(c.member_with(c.ours.issue("b", "")));
    a.link->send(bytes_of("from a"));
    b.link->send(bytes_of("from b"));
    REQUIRE(w.run([&] { return w.hub_got("a.example").text() == "from a" && w.hub_got("b").text() == "from b"; }));
    CHECK(a.link->peer_name() == "hub.example");
}

TEST_CASE("certificates: the hub refuses a member of another authority, and an expired one") {
    const certified c;
    world w(5, c.hub);
    auto& foreign = w.join(c.member_with(c.theirs.issue("a", "a")));
    foreign.link->send(bytes_of("let me in"));
    REQUIRE(w.run([&] { return over(foreign); }, 1000 * ms));
    CHECK(foreign.link->reason().what == cause::refused);
    CHECK(foreign.link->reason().text.starts_with("the hub refused our certificate"));
    auto& old = w.join(c.member_with(c.ours.issue("b", "b", {1'000'000, 2'000'000})));
    REQUIRE(w.run([&] { return over(old); }, 1000 * ms));
    REQUIRE(w.refused.size() == 2);
    CHECK(w.refused[0].second.text.starts_with("the member's certificate is refused: "));
    CHECK(w.refused[1].second.text.find("expired") != std::string::npos);
    CHECK(w.accepted == 0);
}

TEST_CASE("certificates: a member refuses a hub with another name or of another authority") {
    const certified c;
    world w(6, c.hub);
    auto& a = w.join(c.member_with(c.ours.issue("a", "a"), "other.example"));
    REQUIRE(w.run([&] { return over(a); }, 1000 * ms));
    CHECK(a.link->reason().what == cause::refused);
    CHECK(a.link->reason().text.starts_with("the hub's certificate is refused: "));
    CHECK(a.link->reason().text.find("name") != std::string::npos);
    w.run_for(1000 * ms);
    CHECK(w.accepted == 0);
    REQUIRE(w.refused.size() == 1);
    CHECK(w.refused[0].second.text.starts_with("the member refused our certificate"));

    world foreign(7, c.hub_with(c.theirs.issue("hub", "hub.example")));
    auto& b = foreign.join(c.member_with(c.ours.issue("b", "b")));
    REQUIRE(foreign.run([&] { return over(b); }, 1000 * ms));
    CHECK(b.link->reason().text.starts_with("the hub's certificate is refused: "));
}

TEST_CASE("certificates: text that is no certificate is named") {
    const certified c;
    const auto good = c.ours.issue("a", "a");
    CHECK_THROWS_WITH_AS(credentials::hub_with_certificate({"nonsense", good.key, c.ours.pem()}),
                         doctest::Contains("certificate or private key"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(
        credentials::hub_with_certificate({good.certificate, c.ours.issue("b", "b").key, c.ours.pem()}),
        doctest::Contains("certificate or private key"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(credentials::hub_with_certificate({good.certificate, good.key, ""}),
                         doctest::Contains("authorities"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(credentials::member_with_certificate({good.certificate, good.key, c.ours.pem()}, ""),
                         doctest::Contains("name of the hub"), std::invalid_argument);
}

TEST_CASE("a member with a key and a hub with a certificate do not meet") {
    const certified c;
    world w(8, c.hub);
    auto& a = w.join(member_with_key("a", "a"));
    REQUIRE(w.run([&] { return over(a); }, 1000 * ms));
    CHECK(a.link->reason().what == cause::refused);
    world keys(9, hub_with_keys({"a"}));
    auto& b = keys.join(c.member_with(c.ours.issue("b", "b")));
    REQUIRE(keys.run([&] { return over(b); }, 1000 * ms));
    CHECK(b.link->reason().what == cause::refused);
}

TEST_CASE("a seed gives the same trace with certificates too") {
    const certified c;
    const auto member = c.member_with(c.ours.issue("a", "a"));
    for (std::uint64_t seed = 100; seed < 120; ++seed) {
        auto once = [&] {
            world w(seed, c.hub);
            w.network = {.loss = 0.15, .doubled = 0.1, .jitter = 2 * ms};
            auto& a = w.join(member);
            a.link->send(pattern(20'000, seed));
            REQUIRE(w.run([&] { return w.hub_got("a").got.size() == 20'000; }));
            return w.trace();
        };
        CHECK(once() == once());
    }
}
