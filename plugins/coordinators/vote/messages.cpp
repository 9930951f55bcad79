#include "vote/messages.hpp"

namespace chimera::vote {

std::string_view text(reason why) noexcept {
    switch (why) {
    case reason::none:
        return "none";
    case reason::not_a_voter:
        return "the number is not a voter's";
    case reason::wrong_sender:
        return "the vote names another voter than the one that sent it";
    case reason::wrong_epoch:
        return "another epoch of the group";
    case reason::wrong_incarnation:
        return "another incarnation of the hub";
    case reason::old_incarnation:
        return "the hub came back with an incarnation that was left";
    case reason::too_many_incarnations:
        return "the hub restarted too often: restart this member";
    case reason::unknown_ballot:
        return "no ballot has this sequence number";
    case reason::forgotten:
        return "the ballot ended long ago and was forgotten";
    case reason::ended:
        return "the ballot has ended";
    case reason::too_few_voters:
        return "the levels high and critical need at least 4 voters";
    case reason::too_many_open:
        return "too many ballots are open: propose again after one has ended";
    case reason::action_too_long:
        return "the action's text is too long";
    case reason::body_too_long:
        return "the proposal's body is too long";
    case reason::wrong_level:
        return "the policy gives this action another level";
    case reason::two_proposals:
        return "the hub sent two proposals for one ballot";
    case reason::wrong_phase:
        return "the ballot has no such phase, or is not in it yet";
    case reason::phase_over:
        return "the phase is over";
    case reason::repeated:
        return "the vote was already counted";
    case reason::two_votes:
        return "the voter sent two votes that contradict each other";
    case reason::wrong_digest:
        return "the vote is about another proposal";
    case reason::bad_signature:
        return "a signature is not that of the voter it names";
    case reason::not_a_choice:
        return "neither yes nor no";
    case reason::no_certificate:
        return "the decision has no certificate";
    case reason::wrong_claim:
        return "the certificate is about another ballot, phase, proposal or choice";
    case reason::wrong_size:
        return "the certificate has too few or too many votes";
    case reason::voters_not_ascending:
        return "the certificate names a voter twice, or voters out of order";
    case reason::time_limit:
        return "not decided within the time limit";
    case reason::commit_refused:
        return "too many voters refused to confirm the first phase";
    case reason::hub_restarted:
        return "the hub restarted";
    }
    return "not a reason";
}

std::string_view text(level l) noexcept {
    switch (l) {
    case level::low:
        return "low";
    case level::medium:
        return "medium";
    case level::high:
        return "high";
    case level::critical:
        return "critical";
    }
    return "not a level";
}

std::string_view text(outcome o) noexcept {
    switch (o) {
    case outcome::approved:
        return "approved";
    case outcome::rejected:
        return "rejected";
    case outcome::aborted:
        return "aborted";
    }
    return "not an outcome";
}

std::optional<level> level_named(std::string_view name) noexcept {
    for (const level l : {level::low, level::medium, level::high, level::critical})
        if (text(l) == name) return l;
    return std::nullopt;
}

} // namespace chimera::vote
