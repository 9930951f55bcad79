// A member of the group: votes at most once in each phase of each ballot, and believes only what is proven.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "vote/messages.hpp"
#include "vote/rules.hpp"
#include "vote/signing.hpp"

namespace chimera::vote {

/// How a ballot ended for this voter. It is reported once and never changes.
struct report {
    ballot_id id;
    vote::outcome outcome = outcome::aborted;
    reason why = reason::none;        ///< of an abort
    std::optional<certificate> proof; ///< checked; of the levels high and critical, unless aborted
};

/// What a message led to.
struct answer {
    /// none: the message was good, or known already.
    reason refused = reason::none;
    /// The agent has to judge this proposal now: cast() says how.
    bool ask = false;
    /// To the hub: a new vote, or again the one that was sent before, for the hub may have missed it.
    std::optional<vote_message> send;
    /// The ballot has ended.
    std::optional<report> ended;
    /// The hub, or voters, said two things that contradict each other about this ballot.
    bool contradiction = false;
};

/// A value: copies are independent. One thread. Time is handed in, in nanoseconds of any clock that all calls share.
///
/// The votes of low and medium are not signed: there the voter trusts the hub's count. Of high and critical it trusts
/// certificates only; an abort needs none.
class voter {
  public:
    /// g and signs outlive it. number: of this voter. Follows no hub until follow().
    voter(const group& g, voter_number number, const signer& signs) : group_(&g), signer_(&signs), number_(number) {}

    struct followed {
        reason refused = reason::none;
        /// Ballots of the incarnation that was left: all aborted.
        std::vector<report> ended;
    };
    /// The channel to the hub is up. The same incarnation as before: nothing changes. A new one: everything of the old
    /// one is over for good. next_sequence: of the hub (ballot_box::next_sequence). A voter that has just started does
    /// not vote on what is older, for it may have voted before it was restarted.
    followed follow(std::uint64_t incarnation, std::uint64_t next_sequence);

    answer receive(const proposal& asked, std::uint64_t now_ns);
    /// The agent's judgement. The first one stands: a second one sends the first again.
    answer cast(const ballot_id& id, choice says, std::uint64_t now_ns);
    /// The certificate of the first phase: confirms what it proves, whatever this voter's own vote was.
    answer receive(const certificate& prepared, std::uint64_t now_ns);
    answer receive(const decision& decided, std::uint64_t now_ns);

    std::vector<report> expire(std::uint64_t now_ns);
    /// When expire() has to be called; empty if no ballot is open.
    std::optional<std::uint64_t> next_expiry() const;

    /// All that the voter knows of a ballot.
    struct memory {
        vote::level level = level::critical;
        vote::digest digest{};
        std::uint64_t deadline_ns = 0;
        std::optional<vote_message> prepare; ///< sent
        std::optional<vote_message> commit;  ///< sent
        std::optional<vote::outcome> end;
        bool contradiction = false; ///< seen: the voter does not confirm anything any more
    };
    /// Null if it is unknown or forgotten.
    const memory* find(const ballot_id& id) const;
    std::size_t open() const noexcept { return open_.size(); }

  private:
    reason locate(const ballot_id& id, memory*& found);
    answer locate(const ballot_id& id, std::uint64_t now_ns, memory*& found);
    report end(const ballot_id& id, memory& m, outcome how, reason why, std::optional<certificate> proof);
    static answer refuse_contradiction(memory& m, reason why, answer a);
    vote_message sign(const ballot_id& id, const memory& m, phase in, choice says) const;
    void forget();

    const group* group_;
    const signer* signer_;
    voter_number number_;
    std::optional<std::uint64_t> incarnation_;
    std::set<std::uint64_t> left_;                           // incarnations
    std::uint64_t forgotten_ = 0;                            // unknown sequences up to this one are not voted on
    std::map<std::uint64_t, memory> memories_;               // by sequence
    std::set<std::pair<std::uint64_t, std::uint64_t>> open_; // deadline and sequence, of memories_
    std::deque<std::uint64_t> ended_;                        // of memories_, the first to be forgotten first
};

} // namespace chimera::vote
