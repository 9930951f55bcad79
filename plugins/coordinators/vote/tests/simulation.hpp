// A group in a simulated world: a virtual clock, a bad network, restarts, and members of ill will. All is drawn from a
// seed.
#pragma once

#include <cstdint>
#include <string>

#include "fixture.hpp"

namespace chimera::vote::testing {

struct simulated {
    std::uint64_t trace = 0;    ///< hash of every event in its order
    std::string violation;      ///< the first one; empty: none
    std::uint64_t approved = 0; ///< decisions of the hub
    std::uint64_t rejected = 0;
    std::uint64_t aborted = 0;
    std::uint64_t contradictions = 0; ///< pieces of evidence
};

/// One run with as many voters as who has; up to f of them are of ill will.
/// Checked: no two certificates of commit that contradict each other; no party reports approved and another rejected;
/// an end is final; evidence names members of ill will only, and proves it; proposals that are made after the network
/// healed are decided as the honest voters want.
simulated simulate(const electorate& who, std::uint64_t seed);

} // namespace chimera::vote::testing
