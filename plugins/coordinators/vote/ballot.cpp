#include "vote/ballot.hpp"

#include <utility>

namespace chimera::vote {

ballot::ballot(const group& g, proposal about, std::uint64_t deadline_ns)
    : group_(&g), about_(std::move(about)), digest_(digest_of(about_)), deadline_ns_(deadline_ns) {
    prepare_.slots.resize(g.members);
    if (is_signed(about_.is)) commit_.slots.resize(g.members);
}

const vote_message* ballot::vote_of(vote::phase in, voter_number voter) const {
    const std::vector<slot>& slots = in == phase::prepare ? prepare_.slots : commit_.slots;
    return voter < slots.size() && slots[voter].first ? &*slots[voter].first : nullptr;
}

std::optional<outcome> ballot::end() const { return decided_ ? std::optional(decided_->outcome) : std::nullopt; }

receipt ballot::receive(const vote_message& said, std::uint64_t now_ns) {
    receipt r;
    r.decided = expire(now_ns);
    const claim& c = said.statement.claim;
    const auto refused = [&r](reason why) {
        r.refused = why;
        return r;
    };
    if (!is_phase(c.phase)) return refused(reason::wrong_phase);
    count& in = of(c.phase);
    if (in.slots.empty()) return refused(reason::wrong_phase);
    if (!is_choice(c.choice)) return refused(reason::not_a_choice);
    slot& by = in.slots.at(said.statement.voter);
    if (by.spoiled) return refused(reason::bad_signature);
    switch (group_->rules.receive(by.first ? &*by.first : nullptr, said)) {
    case rules::reception::repeated:
        return refused(reason::repeated);
    case rules::reception::contradicting:
        return refused(contradict(by, said, r));
    case rules::reception::first:
        break;
    }
    if (!group_->rules.open(end())) return refused(reason::ended);
    if (c.phase != phase()) return refused(c.phase == phase::prepare ? reason::phase_over : reason::wrong_phase);
    // The one costly check is the last: the cheap ones have let at most one vote of each voter and phase through.
    if (is_signed(about_.is) && !group_->keys.verify(said.statement, said.signature)) {
        by.spoiled = true;
        return refused(reason::bad_signature);
    }
    by.first = said;
    // Kept, since a vote for this proposal after it would be the second; but it says nothing about this one.
    if (c.digest != digest_ || c.level != about_.is) return refused(reason::wrong_digest);
    const choice asked = c.phase == phase::prepare ? choice::yes : prepared_->claim.choice;
    ++(c.choice == asked ? in.votes.yes : in.votes.no);
    const rules::verdict v = group_->rules.judge(about_.is, group_->members, in.votes.yes, in.votes.no);
    if (v == rules::verdict::open) return r;
    if (c.phase == phase::prepare)
        close_prepare(v, r);
    else
        close_commit(v, r);
    return r;
}

reason ballot::contradict(slot& by, const vote_message& said, receipt& r) const {
    if (by.accused) return reason::two_votes;
    by.accused = true;
    if (is_signed(about_.is) && !group_->keys.verify(said.statement, said.signature)) return reason::bad_signature;
    r.contradiction = evidence{*by.first, said};
    return reason::two_votes;
}

void ballot::close_prepare(rules::verdict v, receipt& r) {
    const bool passed = v == rules::verdict::approved;
    if (!is_signed(about_.is)) {
        decide(passed ? outcome::approved : outcome::rejected, reason::none, std::nullopt, r.decided);
        return;
    }
    prepared_ = collect({about_.id, phase::prepare, about_.is, passed ? choice::yes : choice::no, digest_});
    r.prepared = prepared_;
}

void ballot::close_commit(rules::verdict v, receipt& r) {
    if (v != rules::verdict::approved) {
        // More than f voters contradict a certificate: nothing can be shown to the others.
        decide(outcome::aborted, reason::commit_refused, std::nullopt, r.decided);
        return;
    }
    claim confirmed = prepared_->claim;
    confirmed.phase = phase::commit;
    decide(confirmed.choice == choice::yes ? outcome::approved : outcome::rejected, reason::none, collect(confirmed),
           r.decided);
}

certificate ballot::collect(const claim& c) const {
    certificate result{c, {}};
    // Where more votes were awaited than needed, the rest proves nothing more.
    const std::size_t enough = group_->rules.proof_size(c, group_->members);
    for (const slot& s : (c.phase == phase::prepare ? prepare_ : commit_).slots)
        if (result.endorsements.size() < enough && s.first && s.first->statement.claim == c)
            result.endorsements.push_back({s.first->statement.voter, s.first->signature});
    return result;
}

std::optional<decision> ballot::expire(std::uint64_t now_ns) {
    std::optional<decision> out;
    if (!decided_ && now_ns >= deadline_ns_) decide(outcome::aborted, reason::time_limit, std::nullopt, out);
    return out;
}

void ballot::decide(outcome o, reason why, std::optional<certificate> proof, std::optional<decision>& out) {
    decided_ = decision{about_.id, about_.is, digest_, o, why, std::move(proof)};
    out = decided_;
}

} // namespace chimera::vote
