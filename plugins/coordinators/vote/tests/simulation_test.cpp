// Thousands of simulated worlds. CHIMERA_SIMULATION_SEEDS says how many.
#include <cstdlib>
#include <iostream>

#include "mutants.hpp"
#include "simulation.hpp"

using namespace chimera::vote;
using namespace chimera::vote::testing;

namespace {

limits short_limits() {
    limits l;
    l.most_ended = 4;
    l.hub_time_limit_ns = 250'000'000;
    l.voter_time_limit_ns = 300'000'000;
    return l;
}

std::uint64_t seeds() {
    const char* const given = std::getenv("CHIMERA_SIMULATION_SEEDS");
    return given ? std::strtoull(given, nullptr, 10) : 10'000;
}

} // namespace

TEST_CASE("safe in every world, and live once the network is") {
    const limits l = short_limits();
    const rules& r = electorate::standard();
    const electorate four(4, hash_of, r, l), seven(7, hash_of, r, l), four_real(4, real_keys, r, l),
        seven_real(7, real_keys, r, l);
    simulated sum;
    const std::uint64_t all = seeds();
    for (std::uint64_t seed = 0; seed < all; ++seed) {
        // Signatures are nearly all of the cost, so one world in a hundred has real ones.
        const bool real = seed % 100 == 0;
        const bool large = seed % 4 == 3 || seed % 200 == 0;
        const simulated one = simulate(real ? (large ? seven_real : four_real) : (large ? seven : four), seed);
        REQUIRE_MESSAGE(one.violation == "", "seed " << seed);
        sum.trace = mix(sum.trace, one.trace);
        sum.approved += one.approved;
        sum.rejected += one.rejected;
        sum.aborted += one.aborted;
        sum.contradictions += one.contradictions;
    }
    std::cout << all << " seeds: " << sum.approved << " approved, " << sum.rejected << " rejected, " << sum.aborted
              << " aborted, " << sum.contradictions << " contradictions, trace " << std::hex << sum.trace << std::dec
              << '\n';
    // The worlds are not all alike.
    CHECK(sum.approved > all / 2);
    CHECK(sum.rejected > all / 2);
    CHECK(sum.aborted > all / 10);
    CHECK(sum.contradictions > all / 10);
}

TEST_CASE("equal seeds give equal traces, with real and with fake signatures") {
    const limits l = short_limits();
    const electorate fake(4, hash_of, electorate::standard(), l), real(4, real_keys, electorate::standard(), l);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const std::uint64_t trace = simulate(fake, seed).trace;
        CHECK(trace == simulate(fake, seed).trace);
        CHECK(trace == simulate(real, seed).trace);
        CHECK(trace != simulate(fake, seed + 10).trace);
    }
}

namespace {

/// The first seed whose world shows that something is broken; or the end.
template <class Mutant>
void caught(const char* name) {
    const Mutant broken;
    const electorate who(4, hash_of, broken, short_limits());
    constexpr std::uint64_t end = 500;
    std::string violation;
    std::uint64_t seed = 0;
    for (; seed < end && violation.empty(); ++seed) violation = simulate(who, seed).violation;
    std::cout << name << ": seed " << seed - 1 << ": " << violation << '\n';
    CHECK_MESSAGE(violation != "", name);
}

} // namespace

TEST_CASE("broken votings are noticed in a world with an honest hub") {
    // Those that need a hub of ill will are noticed by vote_exhaustive_test.
    caught<truncated_share_of_votes_received>("two thirds of the votes received, truncated");
    caught<majority_of_a_quorum>("majority of a quorum");
    caught<cannot_pass_is_reached>("cannot pass is reached");
    caught<every_vote_counts>("every vote counts");
    caught<late_votes_revive>("late votes revive");
}
