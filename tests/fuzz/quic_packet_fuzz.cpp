// Datagrams of a group over QUIC, changed, cut, doubled, swapped and made up, between a hub and two members: nothing
// ends the process, and every message that is read was sent.
#include <chimera/sdk/text.hpp>

#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <vector>

#include "mutation.hpp"
#include "quic/hub_station.hpp"
#include "quic/member_station.hpp"

namespace {

using namespace chimera;
using namespace chimera::fuzz;
using quic::address;
using quic::datagram_sink;
using quic::make_station;
using quic::station;
using quic::station_options;

constexpr std::uint64_t ms = 1'000'000;
constexpr std::int32_t members = 2;
constexpr int most_steps = 400;

address address_of(std::int32_t who) {
    address a;
    a.size = 1;
    a.bytes[0] = static_cast<std::byte>(who + 1);
    return a;
}

/// One exchange. What is drawn decides how much of it arrives as it was sent.
class exchange {
  public:
    explicit exchange(random_source& random) : random_(random), spoils_one_in_(2 + below(random, 20)) {
        static const chm_str names[] = {sdk::str("alpha"), sdk::str("beta")};
        station_options options;
        options.listen.connection.probe_path = false;
        options.listen.retry_from = one_in(random, 3) ? 0 : 16;
        options.random = [this](std::span<std::byte> out) {
            for (std::byte& b : out) b = static_cast<std::byte>(random_());
        };
        for (std::int32_t who = CHM_TO_HUB; who < members; ++who) {
            chm_endpoint_args args{};
            args.size = sizeof args;
            args.self = who;
            args.group = sdk::str("fuzzed");
            args.members = names;
            args.n_members = members;
            args.address = sdk::str("127.0.0.1:1");
            args.key = sdk::str("* 000102030405060708090a0b0c0d0e0f");
            stations_.push_back(make_station(args, options));
            stations_.back()->begin(now_, address_of(CHM_TO_HUB));
        }
    }

    std::string run() {
        for (int step = 0; step < most_steps; ++step) {
            for (std::int32_t who = CHM_TO_HUB; who < members; ++who) {
                station& s = at(who);
                if (s.expiry() <= now_) s.expire(now_);
                if (const std::string wrong = act(who); !wrong.empty()) return wrong;
                wire to(*this, who);
                s.write(now_, to);
            }
            now_ += one_in(random_, 50) ? 3000 * ms : ms / 2;
            std::vector<flight> arrived;
            arrived.swap(flying_);
            for (const flight& f : arrived)
                if (f.to >= CHM_TO_HUB && f.to < members) at(f.to).read(now_, address_of(f.from), f.bytes);
        }
        return "";
    }

  private:
    struct flight {
        std::int32_t from, to;
        std::vector<std::byte> bytes;
    };
    struct wire final : datagram_sink {
        wire(exchange& e, std::int32_t f) : of(e), from(f) {}
        bool send(const address& to, std::span<const std::byte> datagrams, std::size_t segment) override {
            while (!datagrams.empty()) {
                const auto one = datagrams.first(std::min(segment, datagrams.size()));
                datagrams = datagrams.subspan(one.size());
                of.carry({from, static_cast<std::int32_t>(to.bytes[0]) - 1, {one.begin(), one.end()}});
            }
            return true;
        }
        exchange& of;
        std::int32_t from;
    };

    station& at(std::int32_t who) { return *stations_.at(static_cast<std::size_t>(who + 1)); }

    void carry(flight f) {
        if (one_in(random_, spoils_one_in_)) {
            flight spoiled = f;
            spoil(spoiled.bytes);
            if (one_in(random_, 4)) spoiled.from = static_cast<std::int32_t>(below(random_, 5)) - 1;
            if (spoiled.to == CHM_TO_HUB || spoiled.from == CHM_TO_HUB) flying_.push_back(std::move(spoiled));
            if (one_in(random_, 2)) return; // the right one is lost
        }
        if (one_in(random_, 30)) flying_.push_back(f);
        flying_.insert(one_in(random_, 10) ? flying_.begin() : flying_.end(), std::move(f));
    }
    void spoil(std::vector<std::byte>& bytes) {
        switch (below(random_, 4)) {
        case 0:
            for (std::size_t n = 1 + below(random_, 4); n > 0 && !bytes.empty(); --n)
                bytes[below(random_, bytes.size())] ^= static_cast<std::byte>(1U << below(random_, 8));
            break;
        case 1:
            bytes.resize(below(random_, bytes.size() + 1));
            break;
        case 2:
            for (std::size_t n = below(random_, 64); n > 0; --n) bytes.push_back(static_cast<std::byte>(random_()));
            break;
        default:
            bytes.resize(1 + below(random_, 1400));
            for (std::byte& b : bytes) b = static_cast<std::byte>(random_());
            if (one_in(random_, 2)) bytes[0] |= std::byte{0xc0}; // a long header
        }
    }

    /// The endpoint's task: sends, and looks at what came.
    std::string act(std::int32_t who) {
        group::party& p = at(who).core();
        while (const group::held_message* m = p.next_message())
            if (m->body != "from " + std::to_string(m->from)) return "a message that nobody sent: " + in_full(m->body);
        while (p.inbox.next_event() != nullptr) {
        }
        const std::string body = "from " + std::to_string(who);
        const chm_str part = sdk::str(body);
        std::uint64_t seq = 0;
        try {
            if (one_in(random_, 4) && at(who).is_ready())
                p.send(now_, who == CHM_TO_HUB ? CHM_TO_ALL : CHM_TO_HUB, 1, {&part, 1}, seq);
        } catch (const sdk::error&) { // the connection is gone, or was refused
        }
        return "";
    }

    random_source& random_;
    const std::size_t spoils_one_in_;
    std::uint64_t now_ = 1000 * ms;
    std::vector<std::shared_ptr<station>> stations_;
    std::vector<flight> flying_;
};

class packet_fuzzer final : public fuzzer {
  public:
    std::string iterate(random_source& random) override { return exchange(random).run(); }
    std::string input(random_source&) override { return "(drawn step by step; see --only)"; }
};

} // namespace

int main(int argc, char** argv) {
    try {
        const run_options options = parse_options(argc, argv, "");
        return run("quic_packet_fuzz", options, [] { return std::make_unique<packet_fuzzer>(); });
    } catch (const std::exception& e) {
        std::cerr << "quic_packet_fuzz: " << e.what() << "\n";
        return 2;
    }
}
