// What hub and voters say to each other. Plain values: a codec carries them, the core reads and makes them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::vote {

/// The class of a proposal ("class" is a keyword). Higher levels are harder to pass. critical has the rules of high;
/// it is a level of its own so that records and hosts can tell the two apart.
enum class level : std::uint8_t { low, medium, high, critical };
enum class phase : std::uint8_t { prepare = 1, commit = 2 };
enum class choice : std::uint8_t { no, yes };
/// aborted: nobody can say. It never means yes.
enum class outcome : std::uint8_t { approved, rejected, aborted };

/// Why something was refused, or why a ballot was aborted. none: it was not.
enum class reason : std::uint8_t {
    none,
    // about the sender and the ballot
    not_a_voter,
    wrong_sender,
    wrong_epoch,
    wrong_incarnation,
    old_incarnation,
    too_many_incarnations,
    unknown_ballot,
    forgotten,
    ended,
    // about a proposal
    too_few_voters,
    too_many_open,
    action_too_long,
    body_too_long,
    wrong_level,
    two_proposals,
    // about a vote
    wrong_phase,
    phase_over,
    repeated,
    two_votes,
    wrong_digest,
    bad_signature,
    not_a_choice,
    // about a certificate
    no_certificate,
    wrong_claim,
    wrong_size,
    voters_not_ascending,
    // about an end
    time_limit,
    commit_refused,
    hub_restarted,
};

std::string_view text(reason why) noexcept;
std::string_view text(level l) noexcept;
std::string_view text(outcome o) noexcept;
/// Empty: not a level (example: "high").
std::optional<level> level_named(std::string_view name) noexcept;

using digest = std::array<std::uint8_t, 32>;
using signature = std::array<std::uint8_t, 64>;

/// A voter's number: 0 to n - 1.
using voter_number = std::uint32_t;
inline constexpr voter_number the_hub = 0xffffffff; ///< as proposer
inline constexpr std::uint32_t most_voters = 1024;

/// One ballot of one hub. incarnation: drawn at random when the hub starts. sequence: given by the hub, from 1.
struct ballot_id {
    std::uint64_t epoch = 0;
    std::uint64_t incarnation = 0;
    std::uint64_t sequence = 0;
    auto operator<=>(const ballot_id&) const = default;
};

/// Hub to all. Its digest is not sent: each voter computes it (digest_of).
struct proposal {
    ballot_id id;
    level is = level::critical;
    voter_number proposer = the_hub;
    std::string action; ///< the policy's key
    std::string body;   ///< any bytes
};

/// What a vote says, without who says it.
struct claim {
    ballot_id id;
    vote::phase phase = phase::prepare;
    vote::level level = level::critical;
    /// prepare: the proposal is good or not. commit: it was shown to have passed, or to have failed.
    vote::choice choice = choice::no;
    vote::digest digest{};
    bool operator==(const claim&) const = default;
};

/// What is signed.
struct statement {
    vote::claim claim;
    voter_number voter = 0;
    bool operator==(const statement&) const = default;
};

/// Voter to hub. The signature is zero for the levels low and medium.
struct vote_message {
    vote::statement statement;
    vote::signature signature{};
    bool operator==(const vote_message&) const = default;
};

struct endorsement {
    voter_number voter = 0;
    vote::signature signature{};
    bool operator==(const endorsement&) const = default;
};

/// Hub to all, at the end of a phase of a signed ballot: these voters claimed this. Voters ascend.
struct certificate {
    vote::claim claim;
    std::vector<endorsement> endorsements;
    bool operator==(const certificate&) const = default;
};

/// Hub to all, at the end of a ballot.
struct decision {
    ballot_id id;
    vote::level level = level::critical;
    vote::digest digest{};
    vote::outcome outcome = outcome::aborted;
    reason why = reason::none;        ///< of an abort
    std::optional<certificate> proof; ///< of commit; of the levels high and critical, unless aborted
};

/// Two votes of one voter in one phase of one ballot that contradict each other. A third party can check it
/// (proves_equivocation) where the votes are signed.
struct evidence {
    vote_message first;
    vote_message second;
};

/// The ballot has two phases, and its votes are signed.
constexpr bool is_signed(level l) noexcept { return l != level::low && l != level::medium; }
constexpr bool is_level(level l) noexcept { return l <= level::critical; }
constexpr bool is_phase(phase p) noexcept { return p == phase::prepare || p == phase::commit; }
constexpr bool is_choice(choice c) noexcept { return c == choice::no || c == choice::yes; }

} // namespace chimera::vote
