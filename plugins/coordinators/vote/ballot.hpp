// The hub's count of one proposal, from the first vote to the decision.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vote/messages.hpp"
#include "vote/rules.hpp"

namespace chimera::vote {

/// What became of one vote, and what the hub now has to send.
struct receipt {
    /// none: the vote counted.
    reason refused = reason::none;
    /// The voter contradicted itself. At most one for each voter and phase; of a signed ballot both signatures are
    /// valid.
    std::optional<evidence> contradiction;
    /// To all voters: the first phase is over.
    std::optional<certificate> prepared;
    /// To all voters: the ballot has ended.
    std::optional<decision> decided;
};

/// A value: copies are independent. One thread. The group outlives it.
///
/// low and medium: one phase. high and critical: prepare asks for yes or no. As soon as the answer is certain, a
/// certificate of it goes to all voters, and commit asks them to confirm it. Both answers are confirmed: a rejection by
/// the first phase alone could be shown to one voter, and an approval to another.
class ballot {
  public:
    /// The proposal has been checked. deadline_ns: from this time on it can only be aborted.
    ballot(const group& g, proposal about, std::uint64_t deadline_ns);

    /// said: for this ballot's id, from a voter whose channel proves its number; that number is in range.
    receipt receive(const vote_message& said, std::uint64_t now_ns);
    /// Aborts the ballot if its time is over. Empty if it is not, or the ballot has ended.
    std::optional<decision> expire(std::uint64_t now_ns);

    const proposal& about() const noexcept { return about_; }
    const vote::digest& digest() const noexcept { return digest_; }
    std::uint64_t deadline_ns() const noexcept { return deadline_ns_; }
    vote::phase phase() const noexcept { return prepared_ ? phase::commit : phase::prepare; }
    /// Of the first phase of a signed ballot, once it is over: for voters that come back.
    const std::optional<certificate>& prepared() const noexcept { return prepared_; }
    /// Once the ballot has ended.
    const std::optional<decision>& decided() const noexcept { return decided_; }
    struct tally {
        std::uint32_t yes = 0; ///< in commit: votes that agree with the first phase
        std::uint32_t no = 0;
    };
    tally counted(vote::phase in) const noexcept { return in == phase::prepare ? prepare_.votes : commit_.votes; }
    /// The first vote of this voter, whether it counted or not; null if there is none.
    const vote_message* vote_of(vote::phase in, voter_number voter) const;

  private:
    struct slot {
        std::optional<vote_message> first;
        bool accused = false; // evidence was made, or the second vote was a forgery
        bool spoiled = false; // the first vote was a forgery: the voter has none
    };
    struct count {
        tally votes;
        std::vector<slot> slots;
    };

    count& of(vote::phase p) noexcept { return p == phase::prepare ? prepare_ : commit_; }
    std::optional<outcome> end() const;
    reason contradict(slot& by, const vote_message& said, receipt& r) const;
    void close_prepare(rules::verdict v, receipt& r);
    void close_commit(rules::verdict v, receipt& r);
    certificate collect(const claim& c) const;
    void decide(outcome o, reason why, std::optional<certificate> proof, std::optional<decision>& out);

    const group* group_;
    proposal about_;
    vote::digest digest_;
    std::uint64_t deadline_ns_;
    count prepare_;
    count commit_; // without slots if there is no such phase
    std::optional<certificate> prepared_;
    std::optional<decision> decided_;
};

} // namespace chimera::vote
