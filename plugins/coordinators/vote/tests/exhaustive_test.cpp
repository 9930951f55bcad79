// Every interleaving of one ballot of four voters; and each broken voting is noticed in one of them.
#include <iostream>

#include "model.hpp"
#include "mutants.hpp"

using namespace chimera::vote;
using namespace chimera::vote::testing;

namespace {

visited all_opinions(const electorate& who, const std::string& action) {
    visited sum;
    for (const unsigned bits : {0U, 1U, 3U, 7U}) { // voters of one opinion are alike
        if (!sum.violation.empty()) break;
        const auto opinion = [bits](unsigned i) { return (bits >> i & 1) != 0 ? choice::yes : choice::no; };
        visited one = explore_honest_hub(who, action, {opinion(0), opinion(1), opinion(2)});
        sum.states += one.states;
        sum.steps += one.steps;
        sum.violation = std::move(one.violation);
    }
    return sum;
}

void print(const std::string& what, const visited& v) {
    std::cout << what << ": " << v.states << " states, " << v.steps << " steps"
              << (v.violation.empty() ? "" : ": " + v.violation) << '\n';
}

} // namespace

TEST_CASE("an honest hub and a voter of ill will: every interleaving is safe and ends") {
    const electorate who(4, hash_of);
    for (const char* action : {"low", "medium", "high"}) { // critical has the rules of high
        const visited v = all_opinions(who, action);
        print(std::string("honest hub, ") + action, v);
        CHECK(v.violation == "");
        CHECK(v.states > 1000);
    }
}

TEST_CASE("a hub of ill will cannot make honest voters contradict each other") {
    const electorate who(4, hash_of);
    for (const std::uint32_t liars : {0U, 1U}) {
        const visited v = explore_lying_hub(who, liars);
        print("lying hub and " + std::to_string(liars) + " lying voters", v);
        CHECK(v.violation == "");
        CHECK(v.states > 100);
    }
}

TEST_CASE("two voters of ill will are more than four voters bear: the check sees it") {
    const electorate who(4, hash_of);
    const visited v = explore_lying_hub(who, 2);
    print("lying hub and 2 lying voters", v);
    CHECK(v.violation != "");
}

namespace {

template <class Mutant>
void caught(const char* name, signed_hash hash = hash_of) {
    const Mutant broken;
    const electorate who(4, hash, broken);
    visited v;
    for (const char* action : {"low", "high"})
        if (v.violation.empty()) v = all_opinions(who, action);
    if (v.violation.empty()) v = explore_lying_hub(who, 1);
    print(name, v);
    CHECK_MESSAGE(v.violation != "", name);
}

} // namespace

TEST_CASE("each broken voting is noticed") {
    caught<truncated_share_of_votes_received>("two thirds of the votes received, truncated");
    caught<majority_of_a_quorum>("majority of a quorum");
    caught<cannot_pass_is_reached>("cannot pass is reached");
    caught<every_vote_counts>("every vote counts");
    caught<late_votes_revive>("late votes revive");
    caught<certificates_are_believed>("certificates are believed");
    caught<voters_may_repeat_in_certificates>("voters may repeat in certificates");
    caught<small_proof_of_rejection>("a rejection needs a small proof");
    caught<rules>("no phase in the signed statement", hash_without_phase);
    caught<rules>("no digest in the signed statement", hash_without_digest);
}
