// Digests, signatures and certificates: what is forged, foreign or cut does not pass.
#include <algorithm>

#include "fixture.hpp"
#include "vote/certificate.hpp"

using namespace chimera::vote;
using namespace chimera::vote::testing;

namespace {

const claim good{{7, 11, 1}, phase::prepare, level::high, choice::yes, digest{1, 2, 3}};

reason check(const electorate& who, const certificate& c) {
    return rules().check(c, good, who.group.members, *who.verifies, nullptr);
}

} // namespace

TEST_CASE("the digest depends on level, proposer, action and body, and on where one ends") {
    const proposal p{{1, 2, 3}, level::high, 1, "ab", "cd"};
    const digest d = digest_of(p);
    proposal q = p;
    q.id = {4, 5, 6};
    CHECK(digest_of(q) == d);
    q = p;
    q.is = level::critical;
    CHECK(digest_of(q) != d);
    q = p;
    q.proposer = the_hub;
    CHECK(digest_of(q) != d);
    q = p;
    q.action = "abc";
    q.body = "d";
    CHECK(digest_of(q) != d);
}

TEST_CASE("each member of a statement, and the group, is signed") {
    const ed25519_signer signs(group_name, seed_of(0));
    const roster knows(group_name, {signs.key()}), other_group("another group", {signs.key()});
    const statement said{good, 0};
    const signature by = signs.sign(said);
    CHECK(knows.verify(said, by));
    CHECK(!other_group.verify(said, by));
    const auto changed = [&](auto&& change) {
        statement s = said;
        change(s);
        return knows.verify(s, by);
    };
    CHECK(!changed([](statement& s) { ++s.claim.id.epoch; }));
    CHECK(!changed([](statement& s) { ++s.claim.id.incarnation; }));
    CHECK(!changed([](statement& s) { ++s.claim.id.sequence; }));
    CHECK(!changed([](statement& s) { s.claim.phase = phase::commit; }));
    CHECK(!changed([](statement& s) { s.claim.level = level::critical; }));
    CHECK(!changed([](statement& s) { s.claim.choice = choice::no; }));
    CHECK(!changed([](statement& s) { s.claim.digest[31] ^= 1; }));
    CHECK(!changed([](statement& s) { s.voter = 1; })); // not in the roster
    const statement_bytes bytes = bytes_of(digest{}, {good, 0x04030201});
    CHECK(std::equal(&bytes[76], &bytes[80], std::array<std::uint8_t, 4>{1, 2, 3, 4}.begin()));
    CHECK_THROWS_AS(roster(group_name, {signs.key(), signs.key()}), std::invalid_argument);
}

TEST_CASE("a certificate of another claim, of too few, or with a voter twice proves nothing") {
    const electorate who(4);
    CHECK(check(who, who.prove(good, {0, 1, 2})) == reason::none);
    CHECK(check(who, who.prove(good, {1, 2, 3})) == reason::none);
    CHECK(check(who, who.prove(good, {0, 1})) == reason::wrong_size);
    CHECK(check(who, who.prove(good, {})) == reason::wrong_size);
    CHECK(check(who, who.prove(good, {0, 1, 2, 3})) == reason::wrong_size);
    CHECK(check(who, who.prove(good, {0, 1, 1})) == reason::voters_not_ascending);
    CHECK(check(who, who.prove(good, {0, 2, 1})) == reason::voters_not_ascending);
    const auto other = [&](auto&& change) {
        claim c = good;
        change(c);
        certificate honest = who.prove(c, {0, 1, 2});
        CHECK(check(who, honest) == reason::wrong_claim);
        honest.claim = good; // and if it lies about what was signed
        CHECK(check(who, honest) == reason::bad_signature);
    };
    other([](claim& c) { c.phase = phase::commit; });
    other([](claim& c) { ++c.id.epoch; });
    other([](claim& c) { ++c.id.incarnation; });
    other([](claim& c) { ++c.id.sequence; });
    other([](claim& c) { c.digest[0] ^= 1; });
    other([](claim& c) { c.level = level::critical; });
}

TEST_CASE("a certificate with a foreign key proves nothing") {
    const electorate who(4), more(5);
    CHECK(check(who, more.prove(good, {0, 1, 4})) == reason::not_a_voter);
    certificate c = who.prove(good, {0, 1, 2});
    c.endorsements[2].voter = 3; // the signature is 2's
    CHECK(check(who, c) == reason::bad_signature);
    c.endorsements[2].signature = ed25519_signer(group_name, seed_of(99)).sign({good, 3});
    CHECK(check(who, c) == reason::bad_signature);
}

TEST_CASE("an own vote is not verified again, but only if it is the same") {
    const electorate who(4);
    const certificate c = who.prove(good, {0, 1, 2});
    vote_message own{{good, 1}, c.endorsements[1].signature};
    CHECK(rules().check(c, good, 4, *who.verifies, &own) == reason::none);
    own.signature[0] ^= 1;
    CHECK(rules().check(c, good, 4, *who.verifies, &own) == reason::none); // verified
    certificate forged = c;
    forged.endorsements[1].signature = own.signature;
    own.statement.claim.choice = choice::no;
    CHECK(rules().check(forged, good, 4, *who.verifies, &own) == reason::bad_signature);
}

TEST_CASE("a certificate's bytes are read back, and no others") {
    const electorate who(4);
    const certificate c = who.prove(good, {0, 1, 3});
    const std::vector<std::uint8_t> bytes = to_bytes(c);
    CHECK(bytes.size() == 68 + 3 * 68);
    CHECK(certificate_from(bytes) == c);
    for (std::size_t n = 0; n < bytes.size(); ++n) // each in a vector of its own, so that a read too far is seen
        CHECK(!certificate_from(
            std::vector<std::uint8_t>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n))));
    std::vector<std::uint8_t> longer = bytes;
    longer.push_back(0);
    CHECK(!certificate_from(longer));
    const auto changed = [&](std::size_t at, std::uint8_t to) {
        std::vector<std::uint8_t> b = bytes;
        b[at] = to;
        return certificate_from(b);
    };
    CHECK(!changed(0, 'X')); // mark
    CHECK(!changed(4, 2));   // version
    CHECK(!changed(5, 0));   // phase
    CHECK(!changed(5, 3));
    CHECK(!changed(6, 4));  // level
    CHECK(!changed(7, 2));  // choice
    CHECK(!changed(64, 2)); // number of votes
    CHECK(!changed(67, 0xff));
    CHECK(!changed(68, 1));      // voters 1, 1, 3
    CHECK(!changed(68 + 68, 9)); // 0, 9, 3
    // Whatever is read is written the same; and a changed byte never proves anything.
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const auto read = changed(at, static_cast<std::uint8_t>(bytes[at] ^ 0x41));
        if (!read) continue;
        CHECK(to_bytes(*read) != bytes);
        CHECK(check(who, *read) != reason::none);
    }
    std::uint64_t random = 1;
    for (int i = 0; i < 2'000; ++i) {
        std::vector<std::uint8_t> garbage(bytes.begin(), bytes.begin() + 5);
        garbage.resize(5 + (random = mix(random, 1)) % 300);
        for (std::size_t at = 5; at < garbage.size(); ++at)
            garbage[at] = static_cast<std::uint8_t>((random = mix(random, 2)));
        if (const auto read = certificate_from(garbage)) CHECK(to_bytes(*read) == garbage);
    }
}
