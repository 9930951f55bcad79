#include "vote/rules.hpp"

namespace chimera::vote {

rules::verdict rules::judge(level l, std::uint32_t members, std::uint32_t yes, std::uint32_t no) const {
    const std::uint32_t enough = needed(l, members);
    if (yes >= enough) return verdict::approved;
    return no > members - enough ? verdict::rejected : verdict::open;
}

std::uint32_t rules::proof_size(const claim& c, std::uint32_t members) const {
    const std::uint32_t enough = needed(c.level, members);
    return c.phase == phase::prepare && c.choice == choice::no ? members - enough + 1 : enough;
}

rules::reception rules::receive(const vote_message* earlier, const vote_message& now) const {
    if (!earlier) return reception::first;
    return earlier->statement == now.statement ? reception::repeated : reception::contradicting;
}

bool rules::open(const std::optional<outcome>& end) const { return !end; }

reason rules::check(const certificate& c, const claim& expected, std::uint32_t members, const verifier& keys,
                    const vote_message* own) const {
    if (c.claim != expected) return reason::wrong_claim;
    if (c.endorsements.size() != proof_size(expected, members)) return reason::wrong_size;
    for (std::size_t i = 0; i < c.endorsements.size(); ++i) {
        if (c.endorsements[i].voter >= members) return reason::not_a_voter;
        if (i > 0 && c.endorsements[i].voter <= c.endorsements[i - 1].voter) return reason::voters_not_ascending;
    }
    for (const endorsement& e : c.endorsements) {
        const statement said{expected, e.voter};
        const bool is_own = own && own->statement == said && own->signature == e.signature;
        if (!is_own && !keys.verify(said, e.signature)) return reason::bad_signature;
    }
    return reason::none;
}

} // namespace chimera::vote
