#include "vote/ballot_box.hpp"

#include <limits>
#include <utility>

namespace chimera::vote {

namespace {

std::uint64_t later(std::uint64_t now_ns, std::uint64_t by_ns) {
    constexpr std::uint64_t end_of_time = std::numeric_limits<std::uint64_t>::max();
    return by_ns > end_of_time - now_ns ? end_of_time : now_ns + by_ns;
}

} // namespace

ballot_box::proposed ballot_box::propose(voter_number proposer, std::string action, std::string body,
                                         std::uint64_t now_ns) {
    const level is = group_->policy.classify(action);
    if (proposer != the_hub && proposer >= group_->members) return {reason::not_a_voter};
    if (!enough_voters(is, group_->members)) return {reason::too_few_voters};
    if (action.size() > group_->limits.longest_action) return {reason::action_too_long};
    if (body.size() > group_->limits.longest_body) return {reason::body_too_long};
    if (open_.size() >= group_->limits.most_open) return {reason::too_many_open};
    const std::uint64_t sequence = next_sequence_++;
    proposal about{{group_->epoch, incarnation_, sequence}, is, proposer, std::move(action), std::move(body)};
    const auto [at, added] =
        ballots_.try_emplace(sequence, *group_, std::move(about), later(now_ns, group_->limits.hub_time_limit_ns));
    open_.emplace(at->second.deadline_ns(), sequence);
    return {reason::none, &at->second.about()};
}

receipt ballot_box::receive(voter_number from, const vote_message& said, std::uint64_t now_ns) {
    const ballot_id& id = said.statement.claim.id;
    if (from >= group_->members) return {reason::not_a_voter, {}, {}, {}};
    if (said.statement.voter != from) return {reason::wrong_sender, {}, {}, {}};
    if (id.epoch != group_->epoch) return {reason::wrong_epoch, {}, {}, {}};
    if (id.incarnation != incarnation_) return {reason::wrong_incarnation, {}, {}, {}};
    const auto found = ballots_.find(id.sequence);
    if (found == ballots_.end()) {
        const bool was = id.sequence > 0 && id.sequence < next_sequence_;
        return {was ? reason::forgotten : reason::unknown_ballot, {}, {}, {}};
    }
    const bool was_open = !found->second.decided();
    receipt r = found->second.receive(said, now_ns);
    if (r.contradiction) {
        ++evidence_count_;
        if (evidence_.size() < group_->limits.most_evidence) evidence_.push_back(*r.contradiction);
    }
    if (was_open && found->second.decided()) ended(id.sequence);
    return r;
}

std::vector<decision> ballot_box::expire(std::uint64_t now_ns) {
    std::vector<decision> all;
    while (!open_.empty() && open_.begin()->first <= now_ns) {
        const std::uint64_t sequence = open_.begin()->second;
        if (std::optional<decision> d = ballots_.at(sequence).expire(now_ns)) all.push_back(std::move(*d));
        ended(sequence);
    }
    return all;
}

std::optional<std::uint64_t> ballot_box::next_expiry() const {
    return open_.empty() ? std::nullopt : std::optional(open_.begin()->first);
}

std::vector<ballot_box::missed> ballot_box::all_missed() const {
    std::vector<missed> all;
    all.reserve(ballots_.size());
    for (const auto& [sequence, b] : ballots_)
        all.push_back({&b.about(), b.prepared() ? &*b.prepared() : nullptr, b.decided() ? &*b.decided() : nullptr});
    return all;
}

const ballot* ballot_box::find(std::uint64_t sequence) const {
    const auto found = ballots_.find(sequence);
    return found == ballots_.end() ? nullptr : &found->second;
}

void ballot_box::ended(std::uint64_t sequence) {
    open_.erase({ballots_.at(sequence).deadline_ns(), sequence});
    ended_.push_back(sequence);
    while (ended_.size() > group_->limits.most_ended) {
        ballots_.erase(ended_.front());
        ended_.pop_front();
    }
}

} // namespace chimera::vote
