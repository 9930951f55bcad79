// The hub: gives proposals their order, collects votes, and keeps bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vote/ballot.hpp"
#include "vote/messages.hpp"
#include "vote/rules.hpp"

namespace chimera::vote {

/// A value: copies are independent. One thread. Time is handed in, in nanoseconds of any clock that all calls share.
class ballot_box {
  public:
    /// g outlives it. incarnation: drawn at random for each start of the hub, so that nothing of an earlier one counts.
    ballot_box(const group& g, std::uint64_t incarnation) : group_(&g), incarnation_(incarnation) {}

    struct proposed {
        reason refused = reason::none;
        /// To be sent to all voters. Valid until the ballot is forgotten. Null if refused.
        const proposal* made = nullptr;
    };
    /// Opens a ballot with the next sequence number. proposer: a voter's number that its channel proves, or the_hub.
    proposed propose(voter_number proposer, std::string action, std::string body, std::uint64_t now_ns);

    /// from: the voter's number that the channel proves.
    receipt receive(voter_number from, const vote_message& said, std::uint64_t now_ns);

    /// Aborts what is over time; the decisions are to be sent to all voters, in this order.
    std::vector<decision> expire(std::uint64_t now_ns);
    /// When expire() has to be called; empty if no ballot is open.
    std::optional<std::uint64_t> next_expiry() const;

    /// What a voter that comes back has to be sent again, in this order: it may have missed any of it, and ignores what
    /// it knows. Valid until the next call of another member.
    struct missed {
        const vote::proposal* proposal;
        const vote::certificate* prepared; ///< or null
        const vote::decision* decided;     ///< or null
    };
    std::vector<missed> all_missed() const;

    std::uint64_t incarnation() const noexcept { return incarnation_; }
    /// The next proposal's; a voter that joins without a memory takes part from here on (voter::follow).
    std::uint64_t next_sequence() const noexcept { return next_sequence_; }
    std::size_t open() const noexcept { return open_.size(); }
    /// Null if it never was, or is forgotten.
    const ballot* find(std::uint64_t sequence) const;
    /// The first pieces up to the limit, and how many there were.
    const std::vector<evidence>& contradictions() const noexcept { return evidence_; }
    std::uint64_t contradiction_count() const noexcept { return evidence_count_; }

  private:
    void ended(std::uint64_t sequence);

    const group* group_;
    std::uint64_t incarnation_;
    std::uint64_t next_sequence_ = 1;
    std::map<std::uint64_t, ballot> ballots_;                // by sequence
    std::set<std::pair<std::uint64_t, std::uint64_t>> open_; // deadline and sequence
    std::deque<std::uint64_t> ended_;                        // of ballots_, the first to be forgotten first
    std::vector<evidence> evidence_;
    std::uint64_t evidence_count_ = 0;
};

} // namespace chimera::vote
