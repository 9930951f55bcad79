// A member: votes once, believes what is proven, and does not go back.
#include "fixture.hpp"

using namespace chimera::vote;
using namespace chimera::vote::testing;

namespace {

constexpr std::uint64_t now = 1'000;
const ballot_id first{7, 11, 1};

proposal make(const std::string& action, const std::string& body = "body", ballot_id id = first) {
    return {id, all_levels().classify(action), the_hub, action, body};
}
claim claim_of(const proposal& p, phase in, choice says) { return {p.id, in, p.is, says, digest_of(p)}; }
decision decide(const proposal& p, outcome o, std::optional<certificate> proof = {}) {
    return {p.id, p.is, digest_of(p), o, reason::none, std::move(proof)};
}

/// Voter 0, which follows hub 11.
struct member {
    explicit member(std::uint32_t n = 4, limits l = {})
        : who(n, real_keys, electorate::standard(), l), self(who.voter(0)) {
        CHECK(self.follow(11, 1).refused == reason::none);
    }
    electorate who;
    voter self;
};

} // namespace

TEST_CASE("a voter votes once; what comes again gets the same vote") {
    member m;
    const proposal p = make("high");
    CHECK(m.self.receive(p, now).ask);
    const answer voted = m.self.cast(first, choice::yes, now);
    REQUIRE(voted.send);
    CHECK(m.who.verifies->verify(voted.send->statement, voted.send->signature));
    CHECK(m.self.cast(first, choice::no, now).send == voted.send);
    const answer again = m.self.receive(p, now);
    CHECK(!again.ask);
    CHECK(again.send == voted.send);
}

TEST_CASE("a second proposal for the same ballot is refused, reported, and ends the voter's part") {
    member m;
    const proposal p = make("high"), other = make("high", "another body");
    m.self.receive(p, now);
    m.self.cast(first, choice::yes, now);
    const answer a = m.self.receive(other, now);
    CHECK(a.refused == reason::two_proposals);
    CHECK(a.contradiction);
    CHECK(!a.send);
    const certificate prepared = m.who.prove(claim_of(p, phase::prepare, choice::yes), {0, 1, 2});
    CHECK(!m.self.receive(prepared, now).send); // confirms nothing any more
    // But what the others confirmed is so.
    const certificate proof = m.who.prove(claim_of(p, phase::commit, choice::yes), {1, 2, 3});
    CHECK(m.self.receive(decide(p, outcome::approved, proof), now).ended->outcome == outcome::approved);
}

TEST_CASE("a voter confirms what is proven, whatever its own vote was, and one thing only") {
    member m;
    const proposal p = make("high");
    m.self.receive(p, now);
    m.self.cast(first, choice::no, now);
    const certificate passed = m.who.prove(claim_of(p, phase::prepare, choice::yes), {1, 2, 3});
    certificate forged = passed;
    forged.endorsements[1].signature[5] ^= 1;
    CHECK(m.self.receive(forged, now).refused == reason::bad_signature);
    const answer a = m.self.receive(passed, now);
    REQUIRE(a.send);
    CHECK(a.send->statement.claim == claim_of(p, phase::commit, choice::yes));
    CHECK(m.self.receive(passed, now).send == a.send);
    const certificate failed = m.who.prove(claim_of(p, phase::prepare, choice::no), {0, 3});
    const answer second = m.self.receive(failed, now);
    CHECK(second.contradiction);
    CHECK(!second.send);
    // A certificate of commit is not one of prepare.
    member n;
    n.self.receive(p, now);
    CHECK(n.self.receive(n.who.prove(claim_of(p, phase::commit, choice::yes), {1, 2, 3}), now).refused ==
          reason::wrong_claim);
    // One of another proposal proves that hub or voters lie.
    const certificate other = n.who.prove(claim_of(make("high", "other"), phase::prepare, choice::yes), {1, 2, 3});
    CHECK(n.self.receive(other, now).contradiction);
}

TEST_CASE("approved and rejected are believed with a certificate of commit only") {
    member m;
    const proposal p = make("critical");
    m.self.receive(p, now);
    const auto refused = [&](outcome o, std::optional<certificate> proof) {
        const answer a = m.self.receive(decide(p, o, std::move(proof)), now);
        CHECK(!a.ended);
        return a.refused;
    };
    const certificate yes = m.who.prove(claim_of(p, phase::commit, choice::yes), {0, 1, 2});
    CHECK(refused(outcome::approved, std::nullopt) == reason::no_certificate);
    CHECK(refused(outcome::rejected, std::nullopt) == reason::no_certificate);
    CHECK(refused(outcome::rejected, yes) == reason::wrong_claim);
    CHECK(refused(outcome::approved, m.who.prove(claim_of(p, phase::prepare, choice::yes), {0, 1, 2})) ==
          reason::wrong_claim);
    CHECK(refused(outcome::rejected, m.who.prove(claim_of(p, phase::commit, choice::no), {0, 1})) ==
          reason::wrong_size);
    const answer a = m.self.receive(decide(p, outcome::approved, yes), now);
    REQUIRE(a.ended);
    CHECK(a.ended->outcome == outcome::approved);
    CHECK(a.ended->proof == yes);
    CHECK(m.self.receive(decide(p, outcome::approved, yes), now).refused == reason::ended);
}

TEST_CASE("after its time limit a ballot is aborted, and no decision revives it") {
    member m;
    const proposal p = make("low");
    m.self.receive(p, now);
    const std::uint64_t over = m.self.next_expiry().value();
    CHECK(m.self.expire(over - 1).empty());
    SUBCASE("expire was called") { CHECK(m.self.expire(over).at(0).why == reason::time_limit); }
    SUBCASE("expire was not called") {
        const answer a = m.self.receive(decide(p, outcome::approved), over);
        CHECK(a.refused == reason::ended);
        CHECK(a.ended->outcome == outcome::aborted);
    }
    CHECK(m.self.receive(decide(p, outcome::approved), now).refused == reason::ended);
    CHECK(!m.self.receive(decide(p, outcome::approved), now).ended);
    CHECK(m.self.cast(first, choice::yes, now).refused == reason::ended);
    CHECK(m.self.open() == 0);
    CHECK(!m.self.next_expiry());
}

TEST_CASE("a hub cannot make an action cheaper than the policy") {
    member m;
    proposal p = make("delete everything");
    CHECK(p.is == level::critical);
    p.is = level::low;
    CHECK(m.self.receive(p, now).refused == reason::wrong_level);
    member few(3);
    CHECK(few.self.receive(make("high"), now).refused == reason::too_few_voters);
}

TEST_CASE("proposals of other epochs and incarnations, and ballots that are not known, are refused") {
    member m;
    CHECK(m.self.receive(make("low", "", {8, 11, 1}), now).refused == reason::wrong_epoch);
    CHECK(m.self.receive(make("low", "", {7, 12, 1}), now).refused == reason::wrong_incarnation);
    CHECK(m.self.receive(make("low", "", {7, 11, 0}), now).refused == reason::forgotten);
    CHECK(m.self.cast(first, choice::yes, now).refused == reason::unknown_ballot);
    CHECK(m.who.voter(1).receive(make("low"), now).refused == reason::wrong_incarnation); // follows nobody yet
}

TEST_CASE("a hub that restarts ends its ballots, and does not come back with the old ones") {
    limits l;
    l.most_incarnations = 3;
    member m(4, l);
    m.self.receive(make("high"), now);
    CHECK(m.self.follow(11, 5).ended.empty()); // the channel broke only
    CHECK(m.self.open() == 1);
    const voter::followed f = m.self.follow(12, 1);
    REQUIRE(f.ended.size() == 1);
    CHECK(f.ended[0].outcome == outcome::aborted);
    CHECK(f.ended[0].why == reason::hub_restarted);
    CHECK(f.ended[0].id == first);
    CHECK(m.self.receive(make("high"), now).refused == reason::wrong_incarnation);
    CHECK(m.self.receive(make("high", "", {7, 12, 1}), now).ask);
    CHECK(m.self.follow(11, 1).refused == reason::old_incarnation);
    CHECK(m.self.follow(13, 1).refused == reason::none);
    CHECK(m.self.follow(14, 1).refused == reason::too_many_incarnations); // bounded
}

TEST_CASE("a voter that was restarted does not vote on what it may have voted on before") {
    member m;
    voter fresh = m.who.voter(0);
    fresh.follow(11, 5);
    CHECK(fresh.receive(make("high", "", {7, 11, 4}), now).refused == reason::forgotten);
    CHECK(fresh.receive(make("high", "", {7, 11, 5}), now).ask);
}

TEST_CASE("a voter keeps its bounds, and never votes on what it forgot") {
    limits l;
    l.most_open = 2;
    l.most_ended = 1;
    l.longest_body = 4;
    member m(4, l);
    CHECK(m.self.receive(make("low", "12345"), now).refused == reason::body_too_long);
    for (const std::uint64_t s : {1U, 2U}) CHECK(m.self.receive(make("low", "", {7, 11, s}), now).ask);
    CHECK(m.self.receive(make("low", "", {7, 11, 3}), now).refused == reason::too_many_open);
    for (const std::uint64_t s : {2U, 1U})
        CHECK(m.self.receive(decide(make("low", "", {7, 11, s}), outcome::approved), now).ended);
    CHECK(m.self.find({7, 11, 2}) == nullptr);
    CHECK(m.self.receive(make("low", "", {7, 11, 2}), now).refused == reason::forgotten);
    CHECK(m.self.receive(make("low", "", {7, 11, 3}), now).ask);
}

TEST_CASE("every reason, level and outcome has a text") {
    for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(reason::hub_restarted); ++i)
        CHECK(text(reason{i}) != "not a reason");
    CHECK(level_named("high") == level::high);
    CHECK(!level_named("High"));
    CHECK(text(outcome::aborted) == "aborted");
}
