// What the engine costs without I/O, on one core. Printed, not asserted: the tests are not built for speed, the engine
// is.
#include <ctime>

#include "certificates.hpp"
#include "simulated_network.hpp"

using namespace chimera::quic;
using namespace chimera::quic::test;

namespace {

double cpu_seconds() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// A hub and a member whose datagrams arrive at once.
class direct final : public acceptor, public datagram_sink {
  public:
    explicit direct(const std::shared_ptr<const credentials>& who) : hub(who, options(), system_random, *this) {}
    static listener_options options() {
        listener_options o;
        o.connection.probe_path = false;
        return o;
    }
    void connect(const std::shared_ptr<const credentials>& who) {
        member = connection::connect(who, options().connection, system_random, now);
        got.of = member.get();
        member->set_receiver(&got);
        at_hub.echo = true;
    }
    void turn() {
        now += 1000;
        std::array<std::byte, 2048> buffer;
        for (;;) {
            const auto w = member->write(now, buffer);
            if (w.bytes == 0) break;
            hub.read(now, from, std::span(buffer).first(w.bytes));
        }
        hub.write(now, *this);
    }
    receiver* on_connection(connection& c, const address&) noexcept override {
        at_hub.of = &c;
        return &at_hub;
    }
    void on_removed(connection&) noexcept override {}
    bool send(const address&, std::span<const std::byte> datagram, std::size_t) override {
        member->read(now, datagram);
        return true;
    }

    std::uint64_t now = 1'000'000'000;
    address from = address_of(1);
    listener hub;
    std::unique_ptr<connection> member;
    collector got, at_hub;
};

void measure(const char* name, const std::shared_ptr<const credentials>& hub,
             const std::shared_ptr<const credentials>& member) {
    direct d(hub);
    const auto start = cpu_seconds();
    int handshakes = 0;
    for (; cpu_seconds() - start < 0.2; ++handshakes) {
        d.connect(member);
        for (int i = 0; i < 20 && d.hub.statistics().accepted == static_cast<std::uint64_t>(handshakes); ++i) d.turn();
        d.member->close(0, "");
        d.turn();
        d.now += 1'000'000'000;
        d.hub.expire(d.now);
        REQUIRE(d.hub.statistics().accepted == static_cast<std::uint64_t>(handshakes) + 1);
        REQUIRE(d.hub.connections() == 0);
    }
    const auto each = (cpu_seconds() - start) / handshakes;
    MESSAGE(std::string(name) << ": " << 1 / each << " handshakes a second on one core, both ends together ("
                              << each * 1e6 << " us each)");
}

} // namespace

TEST_CASE("figures: handshakes a second, and the processor time of a round trip") {
    measure("key", hub_with_keys({"a"}), member_with_key("a", "a"));
    const authority ours("ours");
    const auto hub = ours.issue("hub", "hub.example"), a = ours.issue("a", "a");
    measure("certificates, Ed25519", credentials::hub_with_certificate({hub.certificate, hub.key, ours.pem()}),
            credentials::member_with_certificate({a.certificate, a.key, ours.pem()}, "hub.example"));

    direct d(hub_with_keys({"a"}));
    d.connect(member_with_key("a", "a"));
    for (int i = 0; i < 100; ++i) d.turn();
    REQUIRE(d.at_hub.of);
    const auto message = pattern(256, 1);
    const auto before = d.member->statistics();
    const auto start = cpu_seconds();
    const int trips = 5000;
    for (int i = 0; i < trips; ++i) {
        d.got.got.clear();
        d.at_hub.got.clear();
        d.member->send(message);
        for (int t = 0; t < 3 && d.got.got.size() < 256; ++t) d.turn();
        REQUIRE(d.got.got.size() == 256);
    }
    const auto each = (cpu_seconds() - start) / trips;
    const auto after = d.member->statistics();
    MESSAGE("round trip of 256 B: " << each * 1e6 << " us of processor time, both ends together; "
                                    << static_cast<double>(after.datagrams_out - before.datagrams_out) / trips
                                    << " datagrams out and "
                                    << static_cast<double>(after.datagrams_in - before.datagrams_in) / trips << " in");
}
