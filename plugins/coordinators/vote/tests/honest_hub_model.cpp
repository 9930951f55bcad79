#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "model.hpp"

namespace chimera::vote::testing {

namespace {

constexpr std::uint64_t start_ns = 1'000;
constexpr voter_number liar = 3;
using message = std::variant<proposal, vote_message, certificate, decision>;

struct envelope {
    voter_number voter; // it goes to the voter, or comes from it if it is a vote
    std::shared_ptr<const message> what;
    std::uint64_t hash;
};

/// What a step does not change is shared with the state before it.
struct state {
    std::shared_ptr<const ballot_box> hub;
    std::array<std::shared_ptr<const voter>, liar> voters;
    std::vector<envelope> in_flight;
    std::vector<outcome> hub_ends;
    std::array<std::vector<outcome>, liar> ends;
    bool timed_out = false;
};

std::uint64_t hash_end(const std::vector<outcome>& ends) {
    std::uint64_t h = ends.size();
    for (const outcome o : ends) h = mix(h, static_cast<std::uint64_t>(o) + 1);
    return h;
}

std::uint64_t hash_claim(const vote_message* v) { return v ? hash_of({v->statement.claim, 0}) : 1; }
std::uint64_t hash_claim(const std::optional<vote_message>& v) { return hash_claim(v ? &*v : nullptr); }

std::uint64_t hash_memory(const voter::memory* m) {
    if (!m) return 3;
    return mix(mix(hash_claim(m->prepare), hash_claim(m->commit)), m->contradiction ? 1 : 0);
}

/// Voters of one opinion are alike: only how many are in which state matters, so each has a hash of all that concerns
/// it, and these are summed. Not in it: whether the hub has accused the liar, which changes nothing that is checked
/// here.
std::uint64_t fingerprint(const state& s, const ballot_id& id, const std::array<choice, 3>& opinions) {
    const ballot& b = *s.hub->find(id.sequence);
    std::array<std::uint64_t, liar> each{};
    for (voter_number v = 0; v < liar; ++v) {
        each.at(v) = mix(hash_memory(s.voters.at(v)->find(id)), hash_end(s.ends.at(v)));
        each.at(v) = mix(each.at(v), opinions.at(v) == choice::yes ? 7 : 8);
    }
    std::array<std::uint64_t, liar> flying{}; // in no order
    for (const envelope& e : s.in_flight) flying.at(e.voter) += mix(e.hash, 9);
    std::uint64_t h = hash_end(s.hub_ends);
    std::uint64_t all = 0;
    for (voter_number v = 0; v <= liar; ++v) {
        const std::uint64_t counted =
            mix(hash_claim(b.vote_of(phase::prepare, v)), hash_claim(b.vote_of(phase::commit, v)));
        if (v == liar)
            h = mix(h, counted);
        else
            all += mix(mix(each.at(v), flying.at(v)), counted);
    }
    for (const phase p : {phase::prepare, phase::commit}) h = mix(h, b.counted(p).yes << 8 | b.counted(p).no);
    h = mix(h, b.prepared() ? hash_of({b.prepared()->claim, 0}) : 2);
    return mix(mix(h, all), s.timed_out ? 1 : 0);
}

class exploration {
  public:
    exploration(const electorate& who, const std::string& action, std::array<choice, 3> opinions)
        : who_(who), opinions_(opinions) {
        state first;
        const auto hub = std::make_shared<ballot_box>(who.group, 11);
        const proposal* made = hub->propose(the_hub, action, "body", start_ns).made;
        first.hub = hub;
        id_ = made->id;
        level_ = made->is;
        digest_ = hub->find(id_.sequence)->digest();
        for (voter_number v = 0; v < liar; ++v) {
            const auto one = std::make_shared<voter>(who.voter(v));
            one->follow(11, 1);
            first.voters.at(v) = one;
        }
        broadcast(first, *made, 17);
        proposal other = *made;
        other.body = "another body";
        for (const digest& d : {digest_, digest_of(other)})
            for (const phase p : {phase::prepare, phase::commit})
                for (const choice c : {choice::no, choice::yes}) lies_.push_back(who.vote(id_, p, level_, d, liar, c));
        reach(std::move(first));
    }

    visited run() {
        while (!stack_.empty() && result_.violation.empty()) {
            const state s = std::move(stack_.back());
            stack_.pop_back();
            for (std::size_t i = 0; i < s.in_flight.size(); ++i) {
                state next = s;
                next.in_flight.erase(next.in_flight.begin() + static_cast<std::ptrdiff_t>(i));
                if (deliver(next, s.in_flight[i])) reach(std::move(next));
            }
            for (const vote_message& lie : lies_) {
                state next = s;
                to_hub(next, liar, lie);
                reach(std::move(next));
            }
            time_out(s);
        }
        return result_;
    }

  private:
    void time_out(const state& s) {
        if (s.hub->open() > 0) {
            state next = s;
            next.timed_out = true;
            const auto hub = std::make_shared<ballot_box>(*s.hub);
            for (const decision& d : hub->expire(s.hub->next_expiry().value())) ended(next, d);
            next.hub = hub;
            reach(std::move(next));
        }
        for (voter_number v = 0; v < liar; ++v) {
            if (s.voters.at(v)->open() == 0) continue;
            state next = s;
            next.timed_out = true;
            const auto self = std::make_shared<voter>(*s.voters.at(v));
            for (const report& r : self->expire(self->next_expiry().value())) next.ends.at(v).push_back(r.outcome);
            next.voters.at(v) = self;
            reach(std::move(next));
        }
    }

    static void broadcast(state& s, const message& m, std::uint64_t hash) {
        const auto shared = std::make_shared<const message>(m);
        for (voter_number v = 0; v < liar; ++v) s.in_flight.push_back({v, shared, hash});
    }

    void ended(state& s, const decision& d) {
        s.hub_ends.push_back(d.outcome);
        if (d.proof) {
            claim expected{id_, phase::commit, level_, d.outcome == outcome::approved ? choice::yes : choice::no,
                           digest_};
            if (rules().check(*d.proof, expected, 4, *who_.verifies, nullptr) != reason::none)
                fail("the hub decided with a certificate that proves nothing");
        } else if (is_signed(level_) && d.outcome != outcome::aborted) {
            fail("the hub decided without a certificate");
        }
        broadcast(s, d, 23 + static_cast<std::uint64_t>(d.outcome));
    }

    void to_hub(state& s, voter_number from, const vote_message& v) {
        const auto hub = std::make_shared<ballot_box>(*s.hub);
        const receipt r = hub->receive(from, v, start_ns);
        s.hub = hub;
        if (r.prepared) broadcast(s, *r.prepared, hash_of({r.prepared->claim, 0}));
        if (r.decided) ended(s, *r.decided);
    }

    /// False: it came before the proposal. A hub sends it again (ballot_box::all_missed), so it stays in flight.
    bool deliver(state& s, const envelope& e) {
        if (const auto* v = std::get_if<vote_message>(e.what.get())) {
            to_hub(s, e.voter, *v);
            return true;
        }
        const auto self = std::make_shared<voter>(*s.voters.at(e.voter));
        voter& to = *self;
        s.voters.at(e.voter) = self;
        answer a;
        if (const auto* p = std::get_if<proposal>(e.what.get())) a = to.receive(*p, start_ns);
        if (const auto* c = std::get_if<certificate>(e.what.get())) a = to.receive(*c, start_ns);
        if (const auto* d = std::get_if<decision>(e.what.get())) a = to.receive(*d, start_ns);
        if (a.refused == reason::unknown_ballot) return false;
        if (a.ask) a = to.cast(id_, opinions_.at(e.voter), start_ns);
        if (a.contradiction) fail("an honest hub was accused");
        if (a.send) s.in_flight.push_back({e.voter, std::make_shared<const message>(*a.send), hash_claim(a.send)});
        if (a.ended) s.ends.at(e.voter).push_back(a.ended->outcome);
        return true;
    }

    void reach(state s) {
        ++result_.steps;
        if (!seen_.insert(fingerprint(s, id_, opinions_)).second) return;
        ++result_.states;
        check(s);
        stack_.push_back(std::move(s));
    }

    void check(const state& s) {
        std::array<std::uint32_t, 2> voters{1, 1}; // that may have said no, yes: the liar said both
        for (const choice c : opinions_) ++voters.at(c == choice::yes ? 1 : 0);
        const std::uint32_t enough = needed(level_, 4);
        bool approved = false;
        bool rejected = false;
        const auto look = [&](const std::vector<outcome>& ends) {
            if (ends.size() > 1) fail("a ballot ended twice for one party");
            for (const outcome o : ends) {
                approved = approved || o == outcome::approved;
                rejected = rejected || o == outcome::rejected;
            }
        };
        look(s.hub_ends);
        for (const auto& ends : s.ends) look(ends);
        if (approved && rejected) fail("approved for one party, rejected for another");
        if (approved && voters[1] < enough) fail("approved without enough voters");
        if (rejected && voters[0] <= 4 - enough) fail("rejected although enough voters may say yes");
        if (!s.in_flight.empty()) return;
        const bool one_mind = opinions_[0] == opinions_[1] && opinions_[1] == opinions_[2];
        if (one_mind && !s.timed_out && !(opinions_[0] == choice::yes ? approved : rejected))
            fail("all messages arrived, the honest voters are of one mind, and it is not decided so");
        if (s.hub->open() > 0) return;
        if (s.hub_ends.empty()) fail("the hub came to no end");
        for (voter_number v = 0; v < liar; ++v)
            if (s.voters.at(v)->open() == 0 && s.ends.at(v).empty()) fail("a voter came to no end");
    }

    void fail(const char* what) {
        if (result_.violation.empty()) result_.violation = what;
    }

    const electorate& who_;
    const std::array<choice, 3> opinions_;
    ballot_id id_;
    level level_{};
    digest digest_{};
    std::vector<vote_message> lies_;
    std::vector<state> stack_;
    std::unordered_set<std::uint64_t> seen_;
    visited result_;
};

} // namespace

visited explore_honest_hub(const electorate& who, const std::string& action, std::array<choice, 3> opinions) {
    return exploration(who, action, opinions).run();
}

} // namespace chimera::vote::testing
