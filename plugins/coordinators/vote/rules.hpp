// The rules of a ballot, each in one place. Hub and voters ask here and count, but do not judge.
#pragma once

#include <cstdint>
#include <optional>

#include "vote/messages.hpp"
#include "vote/policy.hpp"
#include "vote/signing.hpp"

namespace chimera::vote {

/// How many of all voters one phase needs: low n/2 rounded down, plus 1; medium 3n/4 rounded up; high and critical
/// 2n/3 rounded down, plus 1. n counts the members. It does not count votes.
constexpr std::uint32_t needed(level l, std::uint32_t members) noexcept {
    switch (l) {
    case level::low:
        return members / 2 + 1;
    case level::medium:
        return (3 * members + 3) / 4;
    case level::high:
    case level::critical:
        break;
    }
    return 2 * members / 3 + 1;
}

/// high and critical bear f >= 1 voters of ill will, so they need n >= 3f + 1.
constexpr bool enough_voters(level l, std::uint32_t members) noexcept { return members >= (is_signed(l) ? 4U : 1U); }

/// Has no state; any thread. The members are virtual so that tests can break one rule at a time and see that the checks
/// of the protocol notice.
class rules {
  public:
    virtual ~rules() = default;

    /// What the votes of one phase mean. rejected: those needed can no longer be reached.
    enum class verdict { open, approved, rejected };
    virtual verdict judge(level l, std::uint32_t members, std::uint32_t yes, std::uint32_t no) const;

    /// How many votes a certificate has, exactly. prepare: enough to pass, or one more than passing can bear. commit:
    /// enough to pass, for both choices, so that two contradicting certificates would share an honest voter.
    virtual std::uint32_t proof_size(const claim& c, std::uint32_t members) const;

    /// A voter has one vote in a phase: its first.
    enum class reception { first, repeated, contradicting };
    virtual reception receive(const vote_message* earlier, const vote_message& now) const;

    /// An end is an end: nothing that comes later counts.
    virtual bool open(const std::optional<outcome>& end) const;

    /// none, or why the certificate does not prove the expected claim. own: a vote that the caller signed itself, which
    /// it need not verify; or null. Cheap checks come first.
    virtual reason check(const certificate& c, const claim& expected, std::uint32_t members, const verifier& keys,
                         const vote_message* own) const;
};

/// Bounds on memory and time. Each is at least 1.
struct limits {
    std::size_t most_open = 64;                        ///< ballots that have not ended
    std::size_t most_ended = 256;                      ///< ballots that have ended and are remembered
    std::size_t most_evidence = 64;                    ///< pieces, kept by the hub; the first ones stay
    std::size_t most_incarnations = 64;                ///< of the hub, that one voter lives to see
    std::size_t longest_action = 256;                  ///< bytes
    std::size_t longest_body = 65536;                  ///< bytes
    std::uint64_t hub_time_limit_ns = 5'000'000'000;   ///< from proposal to decision
    std::uint64_t voter_time_limit_ns = 6'000'000'000; ///< from the proposal's arrival; longer than the hub's
};

/// What all of a group agree on. What it refers to outlives it; it outlives the hub and the voters that use it.
struct group {
    std::uint64_t epoch;
    std::uint32_t members; ///< 1 to most_voters; all in keys
    const vote::policy& policy;
    const vote::rules& rules;
    const verifier& keys;
    vote::limits limits{};
};

} // namespace chimera::vote
