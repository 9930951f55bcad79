#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model.hpp"

namespace chimera::vote::testing {

namespace {

constexpr std::uint64_t now_ns = 1'000;
constexpr std::uint32_t members = 4;

struct honest {
    voter self;
    std::vector<vote_message> said;
    std::vector<outcome> ends;
};
using state = std::vector<honest>;

class exploration {
  public:
    exploration(const electorate& who, std::uint32_t liars) : who_(who), honest_(members - liars) {
        for (const char* body : {"A", "B"}) {
            proposals_.push_back({id_, level::high, the_hub, "high", body});
            digests_.push_back(digest_of(proposals_.back()));
        }
        for (const digest& d : digests_)
            for (const choice c : {choice::no, choice::yes})
                for (const phase p : {phase::prepare, phase::commit}) claims_.push_back({id_, p, level::high, c, d});
        state first;
        for (voter_number v = 0; v < honest_; ++v) {
            first.push_back({who.voter(v), {}, {}});
            first.back().self.follow(id_.incarnation, 1);
        }
        reach(std::move(first));
    }

    visited run() {
        while (!stack_.empty() && result_.violation.empty()) {
            const state s = std::move(stack_.back());
            stack_.pop_back();
            const std::vector<certificate> shown = certificates(s);
            before_.clear();
            for (voter_number v = 0; v < honest_; ++v) {
                const std::uint64_t same = hash(s[v]);
                const bool done = std::find(before_.begin(), before_.end(), same) != before_.end();
                before_.push_back(same);
                if (done) continue; // what one voter may do, another in the same state may
                for (const proposal& p : proposals_)
                    for (const choice c : {choice::no, choice::yes})
                        step(s, v, [&](voter& to) {
                            answer a = to.receive(p, now_ns);
                            return a.ask ? to.cast(p.id, c, now_ns) : a;
                        });
                for (const certificate& c : shown) show(s, v, c);
                for (const outcome o : {outcome::approved, outcome::rejected, outcome::aborted})
                    for (const digest& d : digests_)
                        step(s, v, [&](voter& to) {
                            return to.receive(decision{id_, level::high, d, o, reason::none, {}}, now_ns);
                        });
            }
        }
        return result_;
    }

  private:
    /// As the end of the first phase, and as the proof of both decisions.
    void show(const state& s, voter_number v, const certificate& c) {
        step(s, v, [&](voter& to) { return to.receive(c, now_ns); });
        for (const outcome o : {outcome::approved, outcome::rejected})
            step(s, v, [&](voter& to) {
                return to.receive(decision{id_, level::high, c.claim.digest, o, reason::none, c}, now_ns);
            });
    }

    /// The signature of a voter that the verifier takes for this claim, if one was made.
    std::optional<signature> signature_for(const state& s, const claim& c, voter_number v) const {
        if (v >= honest_) return who_.signers.at(v)->sign({c, v});
        for (const vote_message& m : s[v].said)
            if (who_.verifies->verify({c, v}, m.signature)) return m.signature;
        return std::nullopt;
    }

    certificate best(const state& s, const claim& c) const {
        certificate result{c, {}};
        for (voter_number v = 0; v < members; ++v)
            if (const auto by = signature_for(s, c, v)) result.endorsements.push_back({v, *by});
        return result;
    }

    /// The best for each claim; and where that is too little, it is filled up with what there is.
    std::vector<certificate> certificates(const state& s) const {
        std::vector<certificate> all;
        for (const claim& c : claims_) {
            const std::size_t size = who_.group.rules.proof_size(c, members);
            certificate b = best(s, c);
            if (b.endorsements.size() >= size) {
                b.endorsements.resize(size);
                all.push_back(b);
                continue;
            }
            all.push_back(b);
            certificate repeated = b; // the same voter again
            while (!b.endorsements.empty() && repeated.endorsements.size() < size)
                repeated.endorsements.push_back(b.endorsements.back());
            all.push_back(std::move(repeated));
            certificate foreign{c, {}}; // what the voters said about something else
            for (voter_number v = 0; v < members && foreign.endorsements.size() < size; ++v) {
                const auto by = signature_for(s, c, v);
                if (by)
                    foreign.endorsements.push_back({v, *by});
                else if (!s[v].said.empty())
                    foreign.endorsements.push_back({v, s[v].said.back().signature});
            }
            all.push_back(std::move(foreign));
        }
        return all;
    }

    template <class Send>
    void step(const state& s, voter_number v, Send&& send) {
        ++result_.steps;
        honest after = s[v];
        const answer a = send(after.self);
        if (a.send && std::find(after.said.begin(), after.said.end(), *a.send) == after.said.end())
            after.said.push_back(*a.send);
        if (a.ended) after.ends.push_back(a.ended->outcome);
        if (hash(after) == before_[v]) return;
        state next = s;
        next[v] = std::move(after);
        reach(std::move(next));
    }

    std::uint64_t hash(const honest& h) const {
        const voter::memory* m = h.self.find(id_);
        std::uint64_t result = 5;
        if (m) {
            for (std::size_t i = 0; i < digests_.size(); ++i)
                if (m->digest == digests_[i]) result = mix(result, i);
            result = mix(result, m->contradiction ? 1 : 0);
        }
        std::uint64_t said = 0;                                                       // in no order
        for (const vote_message& v : h.said) said += hash_of({v.statement.claim, 0}); // voters are alike
        result = mix(result, said);
        for (const outcome o : h.ends) result = mix(result, static_cast<std::uint64_t>(o) + 1);
        return result;
    }

    void reach(state s) {
        std::vector<std::uint64_t> parts;
        for (const honest& h : s) parts.push_back(hash(h));
        std::sort(parts.begin(), parts.end()); // honest voters are alike: only how many are in which state matters
        std::uint64_t whole = 3;
        for (const std::uint64_t p : parts) whole = mix(whole, p);
        if (!seen_.insert(whole).second) return;
        ++result_.states;
        check(s);
        stack_.push_back(std::move(s));
    }

    void check(const state& s) {
        bool approved = false;
        bool rejected = false;
        for (const honest& h : s) {
            if (h.ends.size() > 1) fail("a ballot ended twice for one voter");
            for (const outcome o : h.ends) {
                approved = approved || o == outcome::approved;
                rejected = rejected || o == outcome::rejected;
            }
        }
        if (approved && rejected) fail("approved for one voter, rejected for another");
        std::size_t proven = 0;
        for (const claim& c : claims_)
            if (c.phase == phase::commit && best(s, c).endorsements.size() >= who_.group.rules.proof_size(c, members))
                ++proven;
        if (proven > 1) fail("two certificates of commit contradict each other");
    }

    void fail(const char* what) {
        if (result_.violation.empty()) result_.violation = what;
    }

    const electorate& who_;
    const std::uint32_t honest_;
    const ballot_id id_{7, 11, 1};
    std::vector<proposal> proposals_;
    std::vector<digest> digests_;
    std::vector<claim> claims_;
    std::vector<std::uint64_t> before_; // of the voters of the state whose steps are taken
    std::vector<state> stack_;
    std::unordered_set<std::uint64_t> seen_;
    visited result_;
};

} // namespace

visited explore_lying_hub(const electorate& who, std::uint32_t liars) { return exploration(who, liars).run(); }

} // namespace chimera::vote::testing
