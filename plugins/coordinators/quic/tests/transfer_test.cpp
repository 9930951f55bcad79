// Bytes arrive: all, once and in order, over good networks and bad ones.
#include "simulated_network.hpp"

using namespace chimera::quic;
using namespace chimera::quic::test;

TEST_CASE("a member and the hub exchange bytes") {
    world w(1, hub_with_keys({"a"}));
    auto& a = w.join(member_with_key("a", "a"));
    REQUIRE(a.link->send(bytes_of("hello")));
    REQUIRE(w.run([&] { return w.hub_got("a").text() == "hello"; }));
    CHECK(a.link->state() == connection_state::open);
    CHECK(a.link->peer_name() == "hub");
    CHECK(w.at_hub("a")->peer_name() == "a");
    CHECK(w.at_hub("a")->send(bytes_of("welcome")));
    REQUIRE(w.run([&] { return a.got.text() == "welcome"; }));
    CHECK(w.now() < 1'000'000'000 + 2 * ms);
}
