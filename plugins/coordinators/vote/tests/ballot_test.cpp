// The hub: one ballot, and all of them.
#include "fixture.hpp"

using namespace chimera::vote;
using namespace chimera::vote::testing;

namespace {

constexpr std::uint64_t now = 1'000;

/// Counts what it is asked.
class counting_verifier : public verifier {
  public:
    explicit counting_verifier(const verifier& v) : verifier_(v) {}
    bool verify(const statement& said, const signature& by) const override {
        ++asked;
        return verifier_.verify(said, by);
    }
    mutable int asked = 0;

  private:
    const verifier& verifier_;
};

limits small() {
    limits l;
    l.most_open = 2;
    l.most_ended = 2;
    l.most_evidence = 1;
    l.longest_action = 8;
    l.longest_body = 4;
    return l;
}

} // namespace

TEST_CASE("a signed ballot ends with a certificate in each phase, for a yes and for a no") {
    const electorate who(4);
    for (const choice says : {choice::yes, choice::no}) {
        ballot_box box(who.group, 11);
        const ballot& b = *box.find(box.propose(2, "high", "body", now).made->id.sequence);
        std::optional<certificate> prepared;
        for (voter_number v = 0; v < 4 && !prepared; ++v)
            prepared = box.receive(v, who.vote(b, phase::prepare, v, says), now).prepared;
        REQUIRE(prepared);
        CHECK(prepared->endorsements.size() == (says == choice::yes ? 3 : 2));
        CHECK(rules().check(*prepared, {b.about().id, phase::prepare, level::high, says, b.digest()}, 4, *who.verifies,
                            nullptr) == reason::none);
        CHECK(b.phase() == phase::commit);
        std::optional<decision> decided;
        for (voter_number v = 1; v < 4; ++v) decided = box.receive(v, who.vote(b, phase::commit, v, says), now).decided;
        REQUIRE(decided);
        CHECK(decided->outcome == (says == choice::yes ? outcome::approved : outcome::rejected));
        REQUIRE(decided->proof);
        CHECK(rules().check(*decided->proof, {b.about().id, phase::commit, level::high, says, b.digest()}, 4,
                            *who.verifies, nullptr) == reason::none);
    }
}

TEST_CASE("commit that too many refuse is aborted: it cannot be shown to anybody") {
    const electorate who(4);
    ballot_box box(who.group, 11);
    const ballot& b = *box.find(box.propose(0, "high", "body", now).made->id.sequence);
    for (voter_number v = 0; v < 3; ++v) box.receive(v, who.vote(b, phase::prepare, v, choice::yes), now);
    CHECK(!box.receive(0, who.vote(b, phase::commit, 0, choice::no), now).decided);
    const receipt r = box.receive(1, who.vote(b, phase::commit, 1, choice::no), now);
    REQUIRE(r.decided);
    CHECK(r.decided->outcome == outcome::aborted);
    CHECK(r.decided->why == reason::commit_refused);
}

TEST_CASE("votes are refused with the reason, and nothing is verified for it") {
    const electorate who(4);
    const counting_verifier counts(*who.verifies);
    const group g{7, 4, all_levels(), electorate::standard(), counts, {}};
    ballot_box box(g, 11);
    const ballot& b = *box.find(box.propose(0, "high", "body", now).made->id.sequence);
    const auto refused = [&](auto&& change, voter_number from = 1) {
        vote_message v = who.vote(b, phase::prepare, 1, choice::yes);
        change(v.statement);
        return box.receive(from, v, now).refused;
    };
    CHECK(refused([](statement&) {}, 4) == reason::not_a_voter);
    CHECK(refused([](statement&) {}, 2) == reason::wrong_sender);
    CHECK(refused([](statement& s) { s.claim.id.epoch = 8; }) == reason::wrong_epoch);
    CHECK(refused([](statement& s) { s.claim.id.incarnation = 12; }) == reason::wrong_incarnation);
    CHECK(refused([](statement& s) { s.claim.id.sequence = 2; }) == reason::unknown_ballot);
    CHECK(refused([](statement& s) { s.claim.id.sequence = 0; }) == reason::unknown_ballot);
    CHECK(refused([](statement& s) { s.claim.phase = phase{3}; }) == reason::wrong_phase);
    CHECK(refused([](statement& s) { s.claim.phase = phase::commit; }) == reason::wrong_phase);
    CHECK(refused([](statement& s) { s.claim.choice = choice{2}; }) == reason::not_a_choice);
    CHECK(counts.asked == 0);
    // Each of these three has a signature that is not over what it says.
    CHECK(refused([](statement& s) { s.claim.choice = choice::no; }) == reason::bad_signature);
    CHECK(counts.asked == 1);
    for (int i = 0; i < 100; ++i) CHECK(refused([](statement&) {}) == reason::bad_signature); // it had its chance
    CHECK(counts.asked == 1);
}

TEST_CASE("verifying stops at the quorum") {
    const electorate who(7);
    const counting_verifier counts(*who.verifies);
    const group g{7, 7, all_levels(), electorate::standard(), counts, {}};
    ballot_box box(g, 11);
    const ballot& b = *box.find(box.propose(0, "high", "body", now).made->id.sequence);
    for (voter_number v = 0; v < 7; ++v) box.receive(v, who.vote(b, phase::prepare, v, choice::yes), now);
    CHECK(counts.asked == 5);
    CHECK(box.receive(6, who.vote(b, phase::prepare, 6, choice::yes), now).refused == reason::phase_over);
    for (voter_number v = 0; v < 7; ++v) box.receive(v, who.vote(b, phase::commit, v, choice::yes), now);
    CHECK(counts.asked == 10);
    CHECK(box.receive(6, who.vote(b, phase::commit, 6, choice::yes), now).refused == reason::ended);
}

TEST_CASE("a vote that contradicts the first is evidence that a third party can check; the first counts") {
    const electorate who(4);
    limits l;
    l.most_evidence = 1;
    const group g{7, 4, all_levels(), electorate::standard(), *who.verifies, l};
    ballot_box box(g, 11);
    const ballot& b = *box.find(box.propose(0, "high", "body", now).made->id.sequence);
    box.receive(0, who.vote(b, phase::prepare, 0, choice::yes), now);
    const receipt r = box.receive(0, who.vote(b, phase::prepare, 0, choice::no), now);
    CHECK(r.refused == reason::two_votes);
    REQUIRE(r.contradiction);
    CHECK(b.counted(phase::prepare).yes == 1);
    CHECK(b.counted(phase::prepare).no == 0);
    CHECK(proves_equivocation(*r.contradiction, *who.verifies));
    // Not with one vote twice, with another's, or with one that was changed.
    evidence e = *r.contradiction;
    e.second = e.first;
    CHECK(!proves_equivocation(e, *who.verifies));
    e.second = who.vote(b, phase::prepare, 1, choice::no);
    CHECK(!proves_equivocation(e, *who.verifies));
    e.second = who.vote(b, phase::commit, 0, choice::no);
    CHECK(!proves_equivocation(e, *who.verifies));
    e = *r.contradiction;
    e.second.statement.claim.digest[0] ^= 1;
    CHECK(!proves_equivocation(e, *who.verifies));
    // Once for each voter; bounded.
    CHECK(!box.receive(0, who.vote(b, phase::prepare, 0, choice::no), now).contradiction);
    box.receive(1, who.vote(b.about().id, phase::prepare, level::high, digest{}, 1, choice::yes), now);
    CHECK(box.receive(1, who.vote(b, phase::prepare, 1, choice::yes), now).contradiction);
    CHECK(b.counted(phase::prepare).yes == 1);
    CHECK(box.contradictions().size() == 1);
    CHECK(box.contradiction_count() == 2);
    // A second vote with a forged signature accuses nobody.
    box.receive(2, who.vote(b, phase::prepare, 2, choice::yes), now);
    vote_message forged = who.vote(b, phase::prepare, 2, choice::no);
    forged.signature[0] ^= 1;
    CHECK(!box.receive(2, forged, now).contradiction);
}

TEST_CASE("the hub keeps its bounds, and forgets in order") {
    const electorate who(4, hash_of, electorate::standard(), small());
    ballot_box box(who.group, 11);
    CHECK(box.propose(0, "low", "12345", now).refused == reason::body_too_long);
    CHECK(box.propose(0, "too long an action", "", now).refused == reason::action_too_long);
    CHECK(box.propose(4, "low", "", now).refused == reason::not_a_voter);
    const auto vote_all = [&](std::uint64_t sequence) {
        reason last{};
        for (voter_number v = 0; v < 3; ++v)
            last = box.receive(v, who.vote(*box.find(sequence), phase::prepare, v, choice::yes), now).refused;
        return last;
    };
    CHECK(box.propose(0, "low", "", now).made->id.sequence == 1);
    CHECK(box.propose(the_hub, "low", "", now + 5).made->id.sequence == 2);
    CHECK(box.propose(0, "low", "", now).refused == reason::too_many_open);
    CHECK(box.next_expiry() == now + small().hub_time_limit_ns);
    const vote_message first = who.vote(*box.find(2), phase::prepare, 3, choice::yes);
    CHECK(vote_all(2) == reason::none);
    for (const std::uint64_t next : {3U, 4U}) {
        CHECK(box.propose(0, "low", "", now).made->id.sequence == next);
        CHECK(vote_all(next) == reason::none);
    }
    CHECK(box.receive(3, first, now).refused == reason::forgotten);
    CHECK(box.find(2) == nullptr);
    REQUIRE(box.find(1)); // still open
    CHECK(box.all_missed().size() == 3);
    CHECK(box.open() == 1);
    CHECK(box.expire(now + small().hub_time_limit_ns - 1).empty());
    CHECK(box.expire(now + small().hub_time_limit_ns).size() == 1);
    CHECK(!box.next_expiry());
    CHECK(box.open() == 0);
}

TEST_CASE("a time limit at the end of time does not wrap around") {
    const electorate who(4, hash_of);
    ballot_box box(who.group, 11);
    CHECK(box.propose(0, "low", "", UINT64_MAX - 1).made);
    CHECK(box.expire(UINT64_MAX - 1).empty());
}

TEST_CASE("nothing of a hub's earlier incarnation counts") {
    const electorate who(4);
    ballot_box before(who.group, 11), after(who.group, 12);
    const ballot& old = *before.find(before.propose(0, "high", "body", now).made->id.sequence);
    const ballot& fresh = *after.find(after.propose(0, "high", "body", now).made->id.sequence);
    CHECK(old.digest() == fresh.digest());
    vote_message v = who.vote(old, phase::prepare, 0, choice::yes);
    CHECK(after.receive(0, v, now).refused == reason::wrong_incarnation);
    v.statement.claim.id = fresh.about().id;
    CHECK(after.receive(0, v, now).refused == reason::bad_signature);
}
