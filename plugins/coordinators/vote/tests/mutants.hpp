// Votings with one broken rule each. The checks of the protocol have to notice every one.
#pragma once

#include "fixture.hpp"

namespace chimera::vote::testing {

/// The reported design: `total * 2 / 3`, of the votes that came.
struct truncated_share_of_votes_received : rules {
    verdict judge(level, std::uint32_t, std::uint32_t yes, std::uint32_t no) const override {
        return yes > 0 && yes >= (yes + no) * 2 / 3 ? verdict::approved : verdict::open;
    }
    std::uint32_t proof_size(const claim&, std::uint32_t) const override { return 1; }
};

/// More than half of a quorum, in place of a quorum of the members.
struct majority_of_a_quorum : rules {
    verdict judge(level l, std::uint32_t members, std::uint32_t yes, std::uint32_t no) const override {
        const std::uint32_t half = needed(l, members) / 2 + 1;
        if (yes >= half) return verdict::approved;
        return no >= half ? verdict::rejected : verdict::open;
    }
    std::uint32_t proof_size(const claim& c, std::uint32_t members) const override {
        return needed(c.level, members) / 2 + 1;
    }
};

/// "The outcome is certain" taken for "it passed".
struct cannot_pass_is_reached : rules {
    verdict judge(level l, std::uint32_t members, std::uint32_t yes, std::uint32_t no) const override {
        return rules::judge(l, members, yes, no) == verdict::open ? verdict::open : verdict::approved;
    }
};

struct every_vote_counts : rules {
    reception receive(const vote_message*, const vote_message&) const override { return reception::first; }
};

struct late_votes_revive : rules {
    bool open(const std::optional<outcome>&) const override { return true; }
};

struct certificates_are_believed : rules {
    reason check(const certificate&, const claim&, std::uint32_t, const verifier&, const vote_message*) const override {
        return reason::none;
    }
};

struct voters_may_repeat_in_certificates : rules {
    reason check(const certificate& c, const claim& expected, std::uint32_t members, const verifier& keys,
                 const vote_message*) const override {
        if (c.claim != expected || c.endorsements.size() != proof_size(expected, members)) return reason::wrong_size;
        for (const endorsement& e : c.endorsements)
            if (!keys.verify({expected, e.voter}, e.signature)) return reason::bad_signature;
        return reason::none;
    }
};

/// A rejection is proven by as few votes as end the first phase.
struct small_proof_of_rejection : rules {
    std::uint32_t proof_size(const claim& c, std::uint32_t members) const override {
        return c.choice == choice::no ? members - needed(c.level, members) + 1 : needed(c.level, members);
    }
};

/// Signatures that do not cover the phase, or the digest.
inline std::uint64_t hash_without_phase(const statement& said) noexcept {
    statement s = said;
    s.claim.phase = phase::prepare;
    return hash_of(s);
}
inline std::uint64_t hash_without_digest(const statement& said) noexcept {
    statement s = said;
    s.claim.digest = {};
    return hash_of(s);
}

} // namespace chimera::vote::testing
