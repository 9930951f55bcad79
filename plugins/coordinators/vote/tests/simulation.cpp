#include "simulation.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace chimera::vote::testing {

namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t healed_ns = 300 * ms;
constexpr std::uint64_t end_ns = 600 * ms;
constexpr std::uint64_t tick_ns = 40 * ms;

class random_numbers {
  public:
    explicit random_numbers(std::uint64_t seed) : state_(mix(seed, 77)) {}
    std::uint64_t below(std::uint64_t n) { return (state_ = mix(state_, 1)) % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

  private:
    std::uint64_t state_;
};

using message = std::variant<proposal, vote_message, certificate, decision>;

struct tick {};
struct proposed {
    bool last; // after the network healed
};
struct delivery {
    bool to_hub;
    voter_number voter;
    std::shared_ptr<const message> what;
};
using event = std::variant<tick, proposed, delivery>;

class world {
  public:
    world(const electorate& who, std::uint64_t seed)
        : who_(who), n_(who.group.members), random_(seed), hub_(who.group, 1 + random_.below(1'000'000)) {
        const std::uint32_t most = (n_ - 1) / 3;
        const auto liars = static_cast<std::uint32_t>(random_.below(most + 1));
        for (voter_number v = 0; v < n_; ++v) {
            parties_.push_back({who.voter(v), v < liars, {}, 1'000 * ms, 0});
            parties_.back().self.follow(hub_.incarnation(), hub_.next_sequence());
        }
        hub_clock_ns_ = 1'000 * ms;
        loss_ = random_.below(50);
        for (std::uint64_t t = tick_ns; t < end_ns; t += tick_ns) queue_.emplace(t, tick{});
        const std::uint64_t early = 2 + random_.below(3);
        for (std::uint64_t i = 0; i < early; ++i) queue_.emplace(random_.below(healed_ns), proposed{false});
        for (std::uint64_t i = 0; i < 2; ++i) queue_.emplace(healed_ns + random_.below(100 * ms), proposed{true});
    }

    simulated run() {
        while (!queue_.empty() && result_.violation.empty()) {
            const auto first = queue_.begin();
            now_ns_ = first->first;
            const event e = std::move(first->second);
            queue_.erase(first);
            trace(now_ns_);
            trace(e.index());
            if (std::holds_alternative<tick>(e)) on_tick();
            if (const auto* p = std::get_if<proposed>(&e)) propose(p->last);
            if (const auto* d = std::get_if<delivery>(&e)) deliver(*d);
        }
        for (const auto& [id, wanted] : wanted_) {
            const auto found = ends_.find(id);
            if (found == ends_.end() || !found->second.contains(wanted))
                fail("a proposal after the network healed was not decided as the honest voters want");
        }
        return result_;
    }

  private:
    struct party {
        voter self;
        bool liar;
        std::vector<vote_message> said; // by a liar, to be said again
        std::uint64_t clock_ns;         // ahead of the world's
        std::uint64_t cut_until_ns;
    };
    struct ends {
        std::map<outcome, int> parties;
        std::optional<certificate> proof;
        bool contains(outcome o) const { return parties.contains(o); }
    };

    bool healed() const { return now_ns_ >= healed_ns; }
    void trace(std::uint64_t what) { result_.trace = mix(result_.trace, what); }
    void fail(const char* what) {
        if (result_.violation.empty()) result_.violation = what;
    }
    std::uint64_t hub_now() const { return now_ns_ + hub_clock_ns_; }
    std::uint64_t now_of(const party& p) const { return now_ns_ + p.clock_ns; }

    void send(bool to_hub, voter_number v, const std::shared_ptr<const message>& what) {
        const std::uint64_t copies = random_.one_in(8) ? 2 : 1;
        for (std::uint64_t i = 0; i < copies; ++i) {
            if (!healed() && (random_.below(100) < loss_ || parties_[v].cut_until_ns > now_ns_)) continue;
            queue_.emplace(now_ns_ + ms / 10 + random_.below(healed() ? 5 * ms : 60 * ms), delivery{to_hub, v, what});
        }
    }
    void to_all(const message& m) {
        const auto shared = std::make_shared<const message>(m);
        for (voter_number v = 0; v < n_; ++v) send(false, v, shared);
    }

    void on_tick() {
        for (const decision& d : hub_.expire(hub_now())) decided(d);
        for (party& p : parties_)
            for (const report& r : p.self.expire(now_of(p))) reported(r, p);
        if (!healed()) disturb();
        for (voter_number v = 0; v < n_; ++v) { // a channel that breaks and comes back
            if (parties_[v].cut_until_ns > now_ns_) continue;
            reconnect(parties_[v]);
            for (const ballot_box::missed& m : hub_.all_missed()) {
                send(false, v, std::make_shared<const message>(*m.proposal));
                if (m.prepared) send(false, v, std::make_shared<const message>(*m.prepared));
                if (m.decided) send(false, v, std::make_shared<const message>(*m.decided));
            }
        }
    }

    void reconnect(party& p) {
        const voter::followed f = p.self.follow(hub_.incarnation(), hub_.next_sequence());
        if (f.refused != reason::none) fail("a voter does not follow an honest hub");
        for (const report& r : f.ended) reported(r, p);
    }

    void disturb() {
        party& p = parties_[random_.below(n_)];
        if (random_.one_in(4)) p.cut_until_ns = std::min(healed_ns, now_ns_ + random_.below(200 * ms));
        if (random_.one_in(6)) p.clock_ns = random_.below(2'000 * ms);
        if (random_.one_in(10)) hub_clock_ns_ = random_.below(2'000 * ms);
        if (random_.one_in(12)) p.self = who_.voter(static_cast<voter_number>(&p - parties_.data())); // restarts
        if (random_.one_in(12)) hub_ = ballot_box(who_.group, hub_.incarnation() + 1 + random_.below(1'000));
    }

    void propose(bool last) {
        static constexpr std::array actions{"low", "medium", "high", "critical", "not in the policy"};
        static constexpr std::array bodies{"good", "bad", "disputed"};
        if (last)
            for (party& p : parties_) reconnect(p);
        const std::string body = bodies.at(random_.below(last ? 2 : bodies.size()));
        const auto made = hub_.propose(the_hub, actions.at(random_.below(actions.size())), body, hub_now());
        if (!made.made) {
            fail("a proposal was refused");
            return;
        }
        const auto liars = static_cast<std::uint32_t>(
            std::count_if(parties_.begin(), parties_.end(), [](const party& p) { return p.liar; }));
        // Three quarters of seven are six: medium does not bear two that are silent.
        if (last && (body == "bad" || n_ - liars >= needed(made.made->is, n_)))
            wanted_[made.made->id] = body == "good" ? outcome::approved : outcome::rejected;
        to_all(*made.made);
    }

    void deliver(const delivery& d) {
        if (d.to_hub) {
            const auto& v = std::get<vote_message>(*d.what);
            trace(hash_of(v.statement));
            const receipt r = hub_.receive(d.voter, v, hub_now());
            trace(static_cast<std::uint64_t>(r.refused));
            if (r.contradiction) accused(*r.contradiction);
            if (r.prepared) to_all(*r.prepared);
            if (r.decided) decided(*r.decided);
            return;
        }
        party& p = parties_[d.voter];
        if (p.liar) {
            lie(d.voter, *d.what);
            return;
        }
        answer a;
        const proposal* const asked = std::get_if<proposal>(d.what.get());
        if (asked) a = p.self.receive(*asked, now_of(p));
        if (const auto* c = std::get_if<certificate>(d.what.get())) a = p.self.receive(*c, now_of(p));
        if (const auto* e = std::get_if<decision>(d.what.get())) a = p.self.receive(*e, now_of(p));
        if (asked && a.ask) {
            const bool yes = asked->body == "good" || (asked->body == "disputed" && d.voter % 2 == 0);
            a = p.self.cast(asked->id, yes ? choice::yes : choice::no, now_of(p));
        }
        trace(static_cast<std::uint64_t>(a.refused));
        if (a.contradiction) fail("an honest hub was accused");
        if (a.send) send(true, d.voter, std::make_shared<const message>(*a.send));
        if (a.ended) reported(*a.ended, p);
    }

    /// Up to three votes of any kind; and silence.
    void lie(voter_number self, const message& heard) {
        party& p = parties_[self];
        claim c;
        if (const auto* asked = std::get_if<proposal>(&heard))
            c = {asked->id, phase::prepare, asked->is, {}, digest_of(*asked)};
        if (const auto* shown = std::get_if<certificate>(&heard)) c = shown->claim;
        if (const auto* d = std::get_if<decision>(&heard)) c = {d->id, phase::commit, d->level, {}, d->digest};
        for (std::uint64_t i = random_.below(4); i > 0; --i) {
            vote_message v;
            v.statement = {c, self};
            v.statement.claim.choice = random_.one_in(2) ? choice::yes : choice::no;
            if (random_.one_in(3)) v.statement.claim.phase = random_.one_in(2) ? phase::commit : phase::prepare;
            if (random_.one_in(4)) v.statement.claim.digest[0] ^= 1;
            if (random_.one_in(8)) v.statement.claim.id.sequence -= random_.below(2);
            if (random_.one_in(8)) v.statement.voter = static_cast<voter_number>(random_.below(n_)); // forged
            if (is_signed(v.statement.claim.level)) v.signature = who_.signers[self]->sign({v.statement.claim, self});
            if (random_.one_in(6)) v.signature[3] ^= 1;
            if (!p.said.empty() && random_.one_in(4)) v = p.said[random_.below(p.said.size())]; // replayed
            if (p.said.size() < 32) p.said.push_back(v);
            send(true, self, std::make_shared<const message>(v));
        }
    }

    void accused(const evidence& e) {
        ++result_.contradictions;
        const voter_number v = e.first.statement.voter;
        if (!parties_[v].liar) fail("an honest voter was accused");
        const ballot* b = hub_.find(e.first.statement.claim.id.sequence);
        if (b && is_signed(b->about().is) && !proves_equivocation(e, *who_.verifies)) fail("evidence proves nothing");
    }

    void decided(const decision& d) {
        ++(d.outcome == outcome::approved   ? result_.approved
           : d.outcome == outcome::rejected ? result_.rejected
                                            : result_.aborted);
        if (!hub_ends_.emplace(d.id, d.outcome).second) fail("the hub ended a ballot twice");
        note(d.id, d.outcome, d.proof);
        to_all(d);
    }

    void reported(const report& r, const party& p) {
        if (!p.liar) note(r.id, r.outcome, r.proof);
    }

    void note(const ballot_id& id, outcome o, const std::optional<certificate>& proof) {
        trace(id.sequence << 8 | static_cast<std::uint64_t>(o));
        ends& e = ends_[id];
        ++e.parties[o];
        if (e.contains(outcome::approved) && e.contains(outcome::rejected))
            fail("approved for one party, rejected for another");
        if (!proof) return;
        if (rules().check(*proof, proof->claim, n_, *who_.verifies, nullptr) != reason::none)
            fail("a decision with a certificate that proves nothing");
        if (e.proof && e.proof->claim != proof->claim) fail("two certificates of commit contradict each other");
        e.proof = proof;
    }

    const electorate& who_;
    const std::uint32_t n_;
    random_numbers random_;
    ballot_box hub_;
    std::vector<party> parties_;
    std::multimap<std::uint64_t, event> queue_; // by time; what was put in first comes first
    std::uint64_t now_ns_ = 0;
    std::uint64_t hub_clock_ns_ = 0;
    std::uint64_t loss_ = 0; // of 100
    std::map<ballot_id, ends> ends_;
    std::map<ballot_id, outcome> hub_ends_;
    std::map<ballot_id, outcome> wanted_;
    simulated result_;
};

} // namespace

simulated simulate(const electorate& who, std::uint64_t seed) { return world(who, seed).run(); }

} // namespace chimera::vote::testing
