// The hub: lets members in, passes their messages on, orders their proposals and counts their votes.
#pragma once

#include "group/party.hpp"
#include "vote/ballot_box.hpp"

#include <deque>
#include <map>
#include <set>
#include <string>

namespace chimera::group {

class hub final : public party {
  public:
    /// wait_for_all: a ballot ends only when every member has voted, or its time is over.
    hub(membership, outbox&, wake_list&, random_source, bool wait_for_all = false);

    /// A member wants in. Empty: it is in, and welcome() of it is to be sent before anything else; the others are told.
    /// Otherwise why not. hello: of kind hello, from a neighbour that may call itself that member.
    std::string admit(const frames::frame& hello);
    /// The frame that a member gets when it is let in.
    frames::frame welcome() const;
    /// A member that was let in hears who is there, and the others hear of it. It has no part in proposals that are
    /// open.
    void brief(std::int32_t member);
    /// The connection of a member that was let in has ended.
    void member_left(std::int32_t member);

    std::uint64_t propose(std::uint64_t now, std::string_view action, std::string_view body) override;
    void cast(std::uint64_t now, std::uint64_t proposal, bool yes) override;
    const ended_proposal* decision(std::uint64_t proposal) const override;
    bool barrier(std::string_view name) override;
    void leave() override;
    void receive(std::uint64_t now, std::int32_t from, const frames::frame&) override;
    std::uint64_t expiry() const override;
    void expire(std::uint64_t now) override;

    /// The member is in the group.
    bool has(std::int32_t member) const noexcept { return is_up(member); }

  private:
    void route(std::int32_t to, const frames::frame&) override;
    void pass_on(std::int32_t from, const frames::frame&);
    void to_all(const frames::frame&, std::int32_t but = CHM_TO_HUB);
    frames::frame about_member(std::int32_t member) const;
    frames::frame about_proposal(const vote::proposal&) const;
    void take_proposal(std::uint64_t now, std::int32_t from, const frames::frame&);
    void take_vote(std::uint64_t now, std::int32_t from, const frames::frame&);
    void send_quorum(const vote::certificate&);
    void send_decision(const vote::decision&);
    void close_barriers();
    std::uint32_t& on_the_way(std::int32_t from, std::int32_t to);
    void count_on_the_way(std::int32_t from, std::int32_t to);

    vote::ballot_box box_;
    std::map<std::uint64_t, std::uint64_t> numbers_; // of proposals, by sequence
    std::map<std::uint64_t, ended_proposal> ended_;  // by number, for the hub's own task
    std::set<std::uint64_t> known_numbers_;          // of numbers_
    std::deque<std::uint64_t> ended_order_;          // sequences
    std::vector<std::string> at_barrier_;            // by member; empty: it waits at none
    std::vector<std::uint32_t> on_the_way_;          // messages, by sender and receiver
    std::vector<std::string> signing_keys_;          // by member, empty: not known
};

} // namespace chimera::group
