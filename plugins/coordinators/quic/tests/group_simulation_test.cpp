// A whole group over QUIC on a simulated network: virtual clock, seeded loss, duplicates, reordering and partitions.
// What is simulated is what runs: the stations, with their handshakes, frames, windows and votes.
#include "quic/hub_station.hpp"
#include "quic/member_station.hpp"

#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <queue>
#include <random>

using namespace chimera;
using namespace chimera::quic;

namespace {

constexpr std::int32_t members = 4;
constexpr std::uint64_t ms = 1'000'000, limit = 30'000 * ms;

struct weather {
    double loss = 0, duplicates = 0;
    std::uint64_t jitter = 200'000; ///< ns; more than the gap between datagrams: they overtake each other
    std::int32_t cut_off = -1;      ///< a member without a network from `from` to `to`
    std::uint64_t from = 0, to = 0;
};

address address_of(std::int32_t node) {
    address a;
    a.size = 1;
    a.bytes[0] = static_cast<std::byte>(node + 1);
    return a;
}

class simulation {
  public:
    simulation(std::uint64_t seed, const weather& w) : random_(seed), weather_(w) {
        for (std::int32_t i = 0; i < members; ++i)
            keys_ += names[static_cast<std::size_t>(i)] + std::string(" ") +
                     std::string(64, static_cast<char>('a' + i)) + "\n";
        station_options options;
        options.listen.connection.idle_timeout = 20'000 * ms;
        options.listen.connection.probe_path = false;
        options.random = [this](std::span<std::byte> out) {
            for (std::byte& b : out) b = static_cast<std::byte>(random_());
        };
        for (std::int32_t who = CHM_TO_HUB; who < members; ++who) {
            chm_endpoint_args args = arguments(who);
            nodes_.push_back({who, make_station(args, options), {}, {}, {}, 0, 0, 0});
        }
        for (node& n : nodes_) n.stack->begin(now_, address_of(CHM_TO_HUB));
        for (node& n : nodes_) flush(n);
    }

    /// Runs until every proposal has ended everywhere and every message has come, or the time is over.
    void run() {
        while (now_ < limit && !is_done()) {
            std::uint64_t next = queue_.empty() ? UINT64_MAX : queue_.top().due;
            for (node& n : nodes_) next = std::min(next, n.stack->expiry());
            REQUIRE(next != UINT64_MAX);
            now_ = std::max(now_, next);
            while (!queue_.empty() && queue_.top().due <= now_) {
                const flight f = queue_.top();
                queue_.pop();
                node& to = at(f.to);
                note(f.due);
                note(f.bytes.size());
                note(static_cast<std::uint64_t>(f.from + 2));
                to.stack->read(now_, address_of(f.from), f.bytes);
            }
            for (node& n : nodes_) {
                if (n.stack->expiry() <= now_) n.stack->expire(now_);
                act(n);
                flush(n);
            }
        }
    }

    bool is_done() {
        for (node& n : nodes_) {
            if (n.who != CHM_TO_HUB && n.asked.size() < proposals * members) return false;
            if (n.received != expected(n.who)) return false;
            for (const auto& [number, asked] : n.asked)
                if (n.stack->core().decision(number) == nullptr) return false;
        }
        return true;
    }
    /// What each node says of each proposal; they must agree, unless one gave up.
    std::map<std::uint64_t, std::map<std::int32_t, std::uint32_t>> outcomes() {
        std::map<std::uint64_t, std::map<std::int32_t, std::uint32_t>> all;
        for (node& n : nodes_)
            for (const auto& [number, asked] : n.asked)
                if (const auto* end = n.stack->core().decision(number)) all[number][n.who] = end->outcome;
        return all;
    }
    std::uint64_t trace() const noexcept { return trace_; }
    std::uint64_t now() const noexcept { return now_; }
    static constexpr std::size_t proposals = 2, messages = 20;

  private:
    struct node {
        std::int32_t who;
        std::shared_ptr<quic::station> stack;
        std::map<std::uint64_t, bool> asked;                                 ///< proposals that events announced
        std::map<std::pair<std::int32_t, std::int32_t>, std::uint64_t> last; ///< seq, by sender and `to`
        std::map<std::int32_t, std::uint64_t> sent;
        std::size_t received = 0;
        std::size_t proposed = 0, said = 0;
    };
    struct flight {
        std::uint64_t due, order;
        std::int32_t from, to;
        std::vector<std::byte> bytes;
        bool operator<(const flight& o) const noexcept { return std::tie(o.due, o.order) < std::tie(due, order); }
    };
    struct wire final : datagram_sink {
        wire(simulation& s, std::int32_t f) : of(s), from(f) {}
        bool send(const address& to, std::span<const std::byte> datagrams, std::size_t segment) override {
            while (!datagrams.empty()) {
                const auto one = datagrams.first(std::min(segment, datagrams.size()));
                datagrams = datagrams.subspan(one.size());
                of.carry(from, static_cast<std::int32_t>(to.bytes[0]) - 1, one);
            }
            return true;
        }
        simulation& of;
        std::int32_t from;
    };

    chm_endpoint_args arguments(std::int32_t who) {
        static const chm_str member_names[] = {sdk::str(names[0]), sdk::str(names[1]), sdk::str(names[2]),
                                               sdk::str(names[3])};
        static const chm_group_action actions[] = {{sdk::str("low"), CHM_CLASS_LOW, 0},
                                                   {sdk::str("high"), CHM_CLASS_HIGH, 0}};
        chm_endpoint_args args{};
        args.size = sizeof args;
        args.self = who;
        args.group = sdk::str("simulated");
        args.epoch = 1;
        args.members = member_names;
        args.n_members = members;
        args.actions = actions;
        args.n_actions = 2;
        args.address = sdk::str("127.0.0.1:1");
        args.key = sdk::str(keys_);
        args.decision_ns = 8'000 * ms;
        args.max_queue = 8;
        return args;
    }
    std::size_t expected(std::int32_t who) const {
        // Everybody sends to the hub and to all; the hub is one of all.
        return who == CHM_TO_HUB ? 2 * messages * members : messages * (members - 1);
    }
    bool is_cut(std::int32_t who) const noexcept {
        return who == weather_.cut_off && now_ >= weather_.from && now_ < weather_.to;
    }
    void carry(std::int32_t from, std::int32_t to, std::span<const std::byte> bytes) {
        std::uniform_real_distribution<double> chance(0, 1);
        if (is_cut(from) || is_cut(to) || chance(random_) < weather_.loss) return;
        const int copies = chance(random_) < weather_.duplicates ? 2 : 1;
        for (int i = 0; i < copies; ++i)
            queue_.push(
                {now_ + 50'000 + random_() % weather_.jitter, ++order_, from, to, {bytes.begin(), bytes.end()}});
    }
    node& at(std::int32_t who) { return nodes_.at(static_cast<std::size_t>(who + 1)); }
    void flush(node& n) {
        wire w(*this, n.who);
        n.stack->write(now_, w);
    }
    void note(std::uint64_t n) noexcept { trace_ = (trace_ ^ n) * 0x100000001b3; }

    /// The node's task.
    void act(node& n) {
        group::party& p = n.stack->core();
        REQUIRE_MESSAGE(p.lost().empty(), p.lost());
        if (!n.stack->is_ready()) return;
        while (const group::held_message* m = p.next_message()) {
            std::uint64_t& last = n.last[{m->from, m->to}];
            CHECK(m->seq == last + 1);
            last = m->seq;
            CHECK(m->body == "from " + std::to_string(m->from) + ", " + std::to_string(m->seq));
            ++n.received;
            note(m->seq);
        }
        while (const group::held_event* e = p.inbox.next_event()) {
            if (e->kind == CHM_EVENT_UP && n.who != CHM_TO_HUB) ++n.said;
            if (e->kind != CHM_EVENT_PROPOSAL) continue;
            n.asked[e->proposal] = true;
            const bool yes = random_() % 4 != 0;
            try {
                p.cast(now_, e->proposal, yes);
            } catch (const sdk::error& late) {
                CHECK(late.code() == CHM_E_STATE); // it is decided already
            }
        }
        if (n.who == CHM_TO_HUB || n.said < members) return; // the hub, and three others: all are here
        for (const std::int32_t to : {CHM_TO_HUB, CHM_TO_ALL})
            while (n.sent[to] < messages) {
                const std::string body = "from " + std::to_string(n.who) + ", " + std::to_string(n.sent[to] + 1);
                const chm_str part = sdk::str(body);
                std::uint64_t seq = 0;
                if (!p.send(now_, to, 1, {&part, 1}, seq)) break;
                CHECK(seq == ++n.sent[to]);
            }
        while (n.proposed < proposals) {
            p.propose(now_, n.proposed % 2 == 0 ? "low" : "high", std::to_string(n.who));
            ++n.proposed;
        }
    }

    static constexpr const char* names[] = {"alpha", "beta", "gamma", "delta"};
    std::mt19937_64 random_;
    const weather weather_;
    std::string keys_;
    std::uint64_t now_ = 1'000'000'000, order_ = 0, trace_ = 0xcbf29ce484222325;
    std::vector<node> nodes_;
    std::priority_queue<flight> queue_;
};

weather weather_of(std::uint64_t seed) {
    std::mt19937_64 random(seed * 7919);
    weather w;
    w.loss = static_cast<double>(random() % 3) * 0.05;
    w.duplicates = static_cast<double>(random() % 2) * 0.02;
    w.jitter = 100'000 + random() % (5 * ms);
    if (random() % 3 == 0) {
        w.cut_off = static_cast<std::int32_t>(random() % members);
        w.from = 1'000'000'000 + random() % (50 * ms);
        w.to = w.from + random() % (2'000 * ms);
    }
    return w;
}

std::uint64_t seeds() {
    const char* given = std::getenv("CHIMERA_SIMULATION_SEEDS");
    return given == nullptr ? 100 : std::strtoull(given, nullptr, 10);
}

} // namespace

TEST_CASE("messages come once and in order, and decisions agree, whatever the network does") {
    std::size_t approved = 0, rejected = 0, aborted = 0;
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
        CAPTURE(seed);
        simulation s(seed, weather_of(seed));
        s.run();
        REQUIRE(s.is_done());
        const auto all = s.outcomes();
        CHECK(all.size() == simulation::proposals * members);
        for (const auto& [number, by_node] : all) {
            bool yes = false, no = false;
            for (const auto& [who, outcome] : by_node) {
                yes = yes || outcome == CHM_APPROVED;
                no = no || outcome == CHM_REJECTED;
                approved += outcome == CHM_APPROVED ? 1 : 0;
                rejected += outcome == CHM_REJECTED ? 1 : 0;
                aborted += outcome == CHM_ABORTED ? 1 : 0;
            }
            CHECK_FALSE((yes && no));
        }
    }
    CHECK(approved > 0);
    CHECK(rejected > 0);
    MESSAGE(seeds() << " seeds: approved " << approved << ", rejected " << rejected << ", aborted " << aborted);
}

TEST_CASE("equal seeds give equal traces, and different seeds different ones") {
    std::uint64_t before = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        simulation a(seed, weather_of(seed)), b(seed, weather_of(seed));
        a.run();
        b.run();
        CHECK(a.trace() == b.trace());
        CHECK(a.now() == b.now());
        CHECK(a.trace() != before);
        before = a.trace();
    }
}
