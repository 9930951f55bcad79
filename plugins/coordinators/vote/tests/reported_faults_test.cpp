// The faults of the reported design, one test each.
#include "fixture.hpp"

using namespace chimera::vote;
using namespace chimera::vote::testing;

namespace {

constexpr std::uint64_t now = 1'000;

/// A hub, with a ballot of this action.
struct hub {
    hub(const electorate& e, const std::string& action, const std::string& body = "body") : who(e), box(e.group, 11) {
        sequence = box.propose(0, action, body, now).made->id.sequence;
    }
    const ballot& the() const { return *box.find(sequence); }
    receipt vote(phase in, voter_number by, choice says) { return box.receive(by, who.vote(the(), in, by, says), now); }

    const electorate& who;
    ballot_box box;
    std::uint64_t sequence = 0;
};

} // namespace

TEST_CASE("the number needed is one of the members, and is not truncated to too few") {
    CHECK(needed(level::low, 4) == 3);
    CHECK(needed(level::low, 5) == 3);
    CHECK(needed(level::medium, 4) == 3);
    CHECK(needed(level::medium, 5) == 4);
    CHECK(needed(level::medium, 7) == 6);
    CHECK(needed(level::high, 4) == 3);
    CHECK(needed(level::high, 7) == 5);
    CHECK(needed(level::critical, 10) == 7);
    for (std::uint32_t n = 4; n <= most_voters; ++n) {
        const std::uint32_t f = (n - 1) / 3;
        const std::uint32_t q = needed(level::high, n);
        CHECK(2 * q > n + f); // two quorums share an honest voter
        CHECK(q <= n - f);    // the honest ones are enough
        CHECK(needed(level::medium, n) * 4 >= 3 * n);
        CHECK(2 * needed(level::low, n) > n);
    }
}

TEST_CASE("two conflicting proposals do not both pass with two of four votes each") {
    const electorate who(4);
    for (const char* action : {"low", "high"}) {
        hub a(who, action, "leader is A");
        const std::uint64_t other = a.box.propose(1, action, "leader is B", now).made->id.sequence;
        const ballot& b = *a.box.find(other);
        for (const voter_number v : {0U, 1U}) CHECK(!a.vote(phase::prepare, v, choice::yes).decided);
        for (const voter_number v : {2U, 3U}) {
            const receipt r = a.box.receive(v, who.vote(b, phase::prepare, v, choice::yes), now);
            CHECK(!r.decided);
            CHECK(!r.prepared);
        }
        CHECK(a.the().phase() == phase::prepare);
    }
}

TEST_CASE("a majority of a quorum is not enough") {
    const electorate who(7);
    hub h(who, "low");
    for (const voter_number v : {0U, 1U, 2U}) CHECK(!h.vote(phase::prepare, v, choice::yes).decided);
    CHECK(h.vote(phase::prepare, 3, choice::yes).decided->outcome == outcome::approved);
}

TEST_CASE("what cannot pass any more is rejected, at once, and not approved") {
    const electorate who(4);
    hub h(who, "low");
    CHECK(!h.vote(phase::prepare, 0, choice::no).decided);
    const receipt r = h.vote(phase::prepare, 1, choice::no);
    REQUIRE(r.decided);
    CHECK(r.decided->outcome == outcome::rejected);
}

TEST_CASE("an action that the policy does not have is critical") {
    CHECK(all_levels().classify("delete everything") == level::critical);
    CHECK(all_levels().classify("") == level::critical);
    CHECK(all_levels().classify("Low") == level::critical);
    CHECK(all_levels().classify("low") == level::low);
    const electorate three(3); // too few for critical: refused, not made cheaper
    ballot_box box(three.group, 11);
    CHECK(box.propose(0, "delete everything", "", now).refused == reason::too_few_voters);
    CHECK(box.propose(0, "low", "", now).refused == reason::none);
}

TEST_CASE("a vote counts once") {
    const electorate who(4);
    for (const char* action : {"low", "high"}) {
        hub h(who, action);
        CHECK(h.vote(phase::prepare, 0, choice::yes).refused == reason::none);
        for (int i = 0; i < 5; ++i) {
            const receipt again = h.vote(phase::prepare, 0, choice::yes);
            CHECK(again.refused == reason::repeated);
            CHECK(!again.contradiction);
        }
        CHECK(h.the().counted(phase::prepare).yes == 1);
    }
}

TEST_CASE("late votes do not revive an aborted ballot") {
    const electorate who(4);
    hub h(who, "low");
    h.vote(phase::prepare, 0, choice::yes);
    h.vote(phase::prepare, 1, choice::yes);
    const std::uint64_t over = h.box.next_expiry().value();
    // Even if nobody called expire() in time.
    const receipt late = h.box.receive(2, who.vote(h.the(), phase::prepare, 2, choice::yes), over);
    CHECK(late.refused == reason::ended);
    REQUIRE(late.decided);
    CHECK(late.decided->outcome == outcome::aborted);
    CHECK(late.decided->why == reason::time_limit);
    CHECK(h.box.expire(over).empty());
    const receipt later = h.vote(phase::prepare, 3, choice::yes); // by a clock that went back
    CHECK(later.refused == reason::ended);
    CHECK(!later.decided);
    CHECK(h.the().decided()->outcome == outcome::aborted);
}
