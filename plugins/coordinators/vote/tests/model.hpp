// Models of one ballot whose every interleaving is visited. States that are equal are visited once.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "fixture.hpp"

namespace chimera::vote::testing {

struct visited {
    std::size_t states = 0;
    std::size_t steps = 0;
    std::string violation; ///< the first one found; empty: none
};

/// Four voters, of which number 3 sends any votes at any time, and an honest hub. Messages in flight arrive in any
/// order. The time limit of each party ends at any time after it began. Checked: nothing is approved or rejected
/// without enough voters; ends are final and do not contradict each other; if the honest voters are of one mind and no
/// time limit ended, that is the decision; all parties come to an end.
visited explore_honest_hub(const electorate& who, const std::string& action, std::array<choice, 3> opinions);

/// Four voters, of which the last ones are of ill will, and so is the hub: it sends two proposals, all certificates
/// that can be made of the votes it has seen and many that cannot, in any order. Honest voters are of any opinion.
/// Checked: no two certificates of commit that contradict each other; no honest voter reports approved and another
/// rejected; an end is final.
visited explore_lying_hub(const electorate& who, std::uint32_t liars);

} // namespace chimera::vote::testing
