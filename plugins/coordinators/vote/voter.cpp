#include "vote/voter.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace chimera::vote {

voter::followed voter::follow(std::uint64_t incarnation, std::uint64_t next_sequence) {
    followed f;
    if (incarnation_ == incarnation) return f;
    // A hub that went back could have this voter vote again on what it no longer remembers.
    if (left_.contains(incarnation)) return {reason::old_incarnation, {}};
    if (left_.size() + (incarnation_ ? 1 : 0) >= group_->limits.most_incarnations)
        return {reason::too_many_incarnations, {}};
    if (incarnation_) left_.insert(*incarnation_);
    for (auto& [sequence, m] : memories_) {
        const ballot_id id{group_->epoch, incarnation_.value_or(0), sequence};
        if (!m.end) f.ended.push_back({id, outcome::aborted, reason::hub_restarted, std::nullopt});
    }
    memories_.clear();
    ended_.clear();
    open_.clear();
    forgotten_ = !incarnation_ && next_sequence > 0 ? next_sequence - 1 : 0;
    incarnation_ = incarnation;
    return f;
}

reason voter::locate(const ballot_id& id, memory*& found) {
    if (id.epoch != group_->epoch) return reason::wrong_epoch;
    if (id.incarnation != incarnation_) return reason::wrong_incarnation;
    const auto at = memories_.find(id.sequence);
    if (at == memories_.end()) return id.sequence <= forgotten_ ? reason::forgotten : reason::unknown_ballot;
    found = &at->second;
    return reason::none;
}

answer voter::locate(const ballot_id& id, std::uint64_t now_ns, memory*& found) {
    answer a;
    a.refused = locate(id, found);
    if (a.refused != reason::none) return a;
    if (!found->end && now_ns >= found->deadline_ns)
        a.ended = end(id, *found, outcome::aborted, reason::time_limit, std::nullopt);
    if (!group_->rules.open(found->end)) a.refused = reason::ended;
    return a;
}

answer voter::receive(const proposal& asked, std::uint64_t now_ns) {
    memory* known = nullptr;
    answer a = locate(asked.id, now_ns, known);
    if (known) {
        if (digest_of(asked) != known->digest) return refuse_contradiction(*known, reason::two_proposals, std::move(a));
        if (a.refused == reason::none) a.send = known->prepare;
        return a;
    }
    if (a.refused != reason::unknown_ballot) return a;
    a.refused = reason::none;
    if (asked.action.size() > group_->limits.longest_action) a.refused = reason::action_too_long;
    if (asked.body.size() > group_->limits.longest_body) a.refused = reason::body_too_long;
    if (asked.is != group_->policy.classify(asked.action)) a.refused = reason::wrong_level;
    if (asked.proposer != the_hub && asked.proposer >= group_->members) a.refused = reason::not_a_voter;
    if (!enough_voters(asked.is, group_->members)) a.refused = reason::too_few_voters;
    if (open_.size() >= group_->limits.most_open) a.refused = reason::too_many_open;
    if (a.refused != reason::none) return a;
    const std::uint64_t limit = group_->limits.voter_time_limit_ns;
    memory m;
    m.level = asked.is;
    m.digest = digest_of(asked);
    m.deadline_ns = now_ns + std::min(limit, std::numeric_limits<std::uint64_t>::max() - now_ns);
    open_.emplace(m.deadline_ns, asked.id.sequence);
    memories_.emplace(asked.id.sequence, std::move(m));
    a.ask = true;
    return a;
}

answer voter::cast(const ballot_id& id, choice says, std::uint64_t now_ns) {
    memory* known = nullptr;
    answer a = locate(id, now_ns, known);
    if (a.refused != reason::none) return a;
    if (!is_choice(says)) {
        a.refused = reason::not_a_choice;
        return a;
    }
    if (!known->prepare && known->commit) {
        a.refused = reason::phase_over;
        return a;
    }
    if (!known->prepare) known->prepare = sign(id, *known, phase::prepare, says);
    a.send = known->prepare;
    return a;
}

answer voter::receive(const certificate& prepared, std::uint64_t now_ns) {
    const ballot_id& id = prepared.claim.id;
    memory* known = nullptr;
    answer a = locate(id, now_ns, known);
    if (a.refused != reason::none) return a;
    if (!is_signed(known->level)) {
        a.refused = reason::wrong_phase;
        return a;
    }
    const choice shown = prepared.claim.choice;
    if (known->commit && known->commit->statement.claim.choice == shown &&
        prepared.claim.digest == known->digest) { // again, so nothing new would be said
        a.send = known->commit;
        return a;
    }
    if (known->contradiction) {
        a.refused = reason::two_proposals;
        return a;
    }
    claim expected{id, phase::prepare, known->level, shown, known->digest};
    // A valid certificate of something else says as much about the hub as one of this ballot.
    if (prepared.claim.digest != known->digest) expected = prepared.claim;
    if (expected.phase != phase::prepare || !is_choice(shown)) a.refused = reason::wrong_claim;
    if (a.refused == reason::none)
        a.refused = group_->rules.check(prepared, expected, group_->members, group_->keys,
                                        known->prepare ? &*known->prepare : nullptr);
    if (a.refused != reason::none) return a;
    if (prepared.claim.digest != known->digest || known->commit)
        return refuse_contradiction(*known, reason::wrong_claim, std::move(a));
    known->commit = sign(id, *known, phase::commit, shown);
    a.send = known->commit;
    return a;
}

answer voter::receive(const decision& decided, std::uint64_t now_ns) {
    memory* known = nullptr;
    answer a = locate(decided.id, now_ns, known);
    if (a.refused != reason::none) return a;
    if (decided.digest != known->digest || decided.level != known->level)
        return refuse_contradiction(*known, reason::wrong_digest, std::move(a));
    if (decided.outcome == outcome::aborted) {
        a.ended = end(decided.id, *known, outcome::aborted, decided.why, std::nullopt);
        return a;
    }
    if (!is_signed(known->level)) {
        a.ended = end(decided.id, *known, decided.outcome, reason::none, std::nullopt);
        return a;
    }
    if (!decided.proof) {
        a.refused = reason::no_certificate;
        return a;
    }
    const choice shown = decided.outcome == outcome::approved ? choice::yes : choice::no;
    const claim expected{decided.id, phase::commit, known->level, shown, known->digest};
    a.refused = group_->rules.check(*decided.proof, expected, group_->members, group_->keys,
                                    known->commit ? &*known->commit : nullptr);
    if (a.refused == reason::none) a.ended = end(decided.id, *known, decided.outcome, reason::none, decided.proof);
    return a;
}

std::vector<report> voter::expire(std::uint64_t now_ns) {
    std::vector<report> all;
    while (!open_.empty() && open_.begin()->first <= now_ns) {
        const std::uint64_t sequence = open_.begin()->second;
        const ballot_id id{group_->epoch, incarnation_.value_or(0), sequence};
        all.push_back(end(id, memories_.at(sequence), outcome::aborted, reason::time_limit, std::nullopt));
    }
    return all;
}

std::optional<std::uint64_t> voter::next_expiry() const {
    return open_.empty() ? std::nullopt : std::optional(open_.begin()->first);
}

const voter::memory* voter::find(const ballot_id& id) const {
    if (id.epoch != group_->epoch || id.incarnation != incarnation_) return nullptr;
    const auto found = memories_.find(id.sequence);
    return found == memories_.end() ? nullptr : &found->second;
}

report voter::end(const ballot_id& id, memory& m, outcome how, reason why, std::optional<certificate> proof) {
    report r{id, how, why, std::move(proof)};
    const bool first = !m.end;
    m.end = how;
    if (first) {
        open_.erase({m.deadline_ns, id.sequence});
        ended_.push_back(id.sequence);
        forget(); // not m: the limits are at least 1
    }
    return r;
}

answer voter::refuse_contradiction(memory& m, reason why, answer a) {
    m.contradiction = true;
    a.refused = why;
    a.contradiction = true;
    return a;
}

vote_message voter::sign(const ballot_id& id, const memory& m, phase in, choice says) const {
    vote_message v;
    v.statement = {{id, in, m.level, says, m.digest}, number_};
    if (is_signed(m.level)) v.signature = signer_->sign(v.statement);
    return v;
}

void voter::forget() {
    while (ended_.size() > group_->limits.most_ended) {
        forgotten_ = std::max(forgotten_, ended_.front());
        memories_.erase(ended_.front());
        ended_.pop_front();
    }
}

} // namespace chimera::vote
