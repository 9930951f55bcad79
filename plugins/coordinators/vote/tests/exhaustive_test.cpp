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
    // One that lies may also do what an honest one does, so fewer need no run of their own.
    const visited v = explore_lying_hub(who, 1);
    print("lying hub and 1 lying voter", v);
    CHECK(v.violation == "");
    CHECK(v.states > 1000);
}

TEST_CASE("two voters of ill will are more than four voters bear: the check sees it") {
    const electorate who(4, hash_of);
    const visited v = explore_lying_hub(who, 2);
    print("lying hub and 2 lying voters", v);
    CHECK(v.violation != "");
}

namespace {

template <class Mutant>
void noticed_with_honest_hub(const char* name) {
    const Mutant broken;
    const electorate who(4, hash_of, broken);
    const visited v = all_opinions(who, "low");
    print(name, v);
    CHECK_MESSAGE(v.violation != "", name);
}

template <class Mutant>
void noticed_with_lying_hub(const char* name, signed_hash hash = hash_of) {
    const Mutant broken;
    const electorate who(4, hash, broken);
    const visited v = explore_lying_hub(who, 1);
    print(name, v);
    CHECK_MESSAGE(v.violation != "", name);
}

} // namespace

TEST_CASE("a voting that counts wrongly is noticed, whoever the hub is") {
    noticed_with_honest_hub<truncated_share_of_votes_received>("two thirds of the votes received, truncated");
    noticed_with_honest_hub<majority_of_a_quorum>("majority of a quorum");
    noticed_with_honest_hub<cannot_pass_is_reached>("cannot pass is reached");
    noticed_with_honest_hub<every_vote_counts>("every vote counts");
    noticed_with_honest_hub<late_votes_revive>("late votes revive");
}

TEST_CASE("a voting that proves too little is noticed with a hub of ill will") {
    noticed_with_lying_hub<truncated_share_of_votes_received>("two thirds of the votes received, truncated");
    noticed_with_lying_hub<majority_of_a_quorum>("majority of a quorum");
    noticed_with_lying_hub<late_votes_revive>("late votes revive");
    noticed_with_lying_hub<certificates_are_believed>("certificates are believed");
    noticed_with_lying_hub<voters_may_repeat_in_certificates>("voters may repeat in certificates");
    noticed_with_lying_hub<small_proof_of_rejection>("a rejection needs a small proof");
    noticed_with_lying_hub<rules>("no phase in the signed statement", hash_without_phase);
    noticed_with_lying_hub<rules>("no digest in the signed statement", hash_without_digest);
}
