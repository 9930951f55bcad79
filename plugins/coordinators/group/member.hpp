// A member: talks to the hub, votes, and believes only decisions that are proven.
#pragma once

#include "group/party.hpp"
#include "vote/voter.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace chimera::group {

class member final : public party {
  public:
    /// Draws its signing key. Throws std::runtime_error if libsodium fails.
    member(membership, outbox&, wake_list&, random_source);

    /// The first frame to the hub. codecs: that this member reads, bit_of(codec_id).
    frames::frame hello(std::uint32_t codecs) const;
    /// The hub has let it in. Throws protocol_error.
    void welcomed(std::uint64_t now, const frames::frame& welcome);
    bool is_in() const noexcept { return in_; }
    /// The connection to the hub has ended.
    void hub_lost(std::string why) { lose(std::move(why), false); }

    std::uint64_t propose(std::uint64_t now, std::string_view action, std::string_view body) override;
    void cast(std::uint64_t now, std::uint64_t proposal, bool yes) override;
    const ended_proposal* decision(std::uint64_t proposal) const override;
    bool barrier(std::string_view name) override;
    void leave() override;
    void receive(std::uint64_t now, std::int32_t from, const frames::frame&) override;
    std::uint64_t expiry() const override;
    void expire(std::uint64_t now) override;

  private:
    /// A proposal that the task may ask about.
    struct known_proposal {
        std::optional<vote::ballot_id> id; ///< empty: proposed here, and not heard of again
        std::uint64_t deadline = 0;
        bool cast = false, ended = false;
        ended_proposal end;
    };
    void route(std::int32_t to, const frames::frame&) override;
    void take_member(const frames::frame&);
    void take_proposal(std::uint64_t now, const frames::frame&);
    void take_quorum(std::uint64_t now, const frames::frame&);
    void take_decision(std::uint64_t now, const frames::frame&);
    void act_on(const vote::answer&, std::uint64_t number);
    known_proposal& begin(std::uint64_t now, std::uint64_t number, vote::level);
    void end(std::uint64_t number, known_proposal&, ended_proposal);
    void end_aborted(const vote::report&);
    std::uint64_t number_of(const vote::ballot_id&) const;

    vote::ed25519_signer signer_;
    vote::voter voter_;
    bool in_ = false;
    std::uint64_t next_number_;
    std::map<std::uint64_t, known_proposal> proposals_; // by number
    std::map<vote::ballot_id, std::uint64_t> numbers_;
    // Numbers in the order of their deadlines, which is that of their beginning. An ended one stays until it is the
    // first.
    std::deque<std::uint64_t> open_order_;
    std::deque<std::uint64_t> ended_order_;
    std::size_t open_ = 0;
    std::string at_barrier_;
    bool released_ = false;
};

} // namespace chimera::group
