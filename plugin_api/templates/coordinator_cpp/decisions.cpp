// Proposals and votes, and barriers.
#include "endpoint.hpp"

namespace my_coordinator {

std::uint64_t endpoint::propose(std::string_view action, std::string_view body) {
    const holding lock(*room_);
    must_be_open();
    const std::uint32_t level = group_.class_of(std::string(action));
    if (group_.self == CHM_TO_HUB) throw sdk::error(CHM_E_STATE, "only members propose");
    if (level >= CHM_CLASS_HIGH && group_.size() < 4) throw sdk::error(CHM_E_STATE, "this class needs 4 members");
    if (body.size() > group_.max_message) throw sdk::error(CHM_E_LIMIT, "the body is longer than max_message");
    if (room_->proposals.size() >= most_proposals) forget_one_that_has_ended();
    const std::uint64_t number = ++room_->last_proposal;
    room_->proposals[number] = {level, sdk::now_ns() + group_.limit_ns};
    for (const auto& [who, other] : room_->endpoints)
        if (who != CHM_TO_HUB && other->in_)
            other->add_event({CHM_EVENT_PROPOSAL, group_.self, level, number, std::string(action), std::string(body)});
    return number;
}

void endpoint::vote(std::uint64_t number, bool yes) {
    const holding lock(*room_);
    proposal& p = known(number);
    if (group_.self == CHM_TO_HUB || p.outcome != 0 || p.votes.count(group_.self) != 0)
        throw sdk::error(CHM_E_STATE, "only members vote, once, and while the proposal is open");
    must_be_open();
    p.votes[group_.self] = yes;
    ++(yes ? p.yes : p.no);
    const std::uint32_t enough = group_.enough(p.level), members = static_cast<std::uint32_t>(group_.size());
    if (p.yes >= enough) {
        // The certificate: who voted yes. Between processes it would be their signatures.
        if (p.level >= CHM_CLASS_HIGH)
            for (const auto& [who, said] : p.votes)
                p.certificate += said ? group_.members[std::size_t(who)] + "\n" : "";
        end(p, CHM_APPROVED);
    } else if (members - p.no < enough) {
        end(p, CHM_REJECTED);
    }
}

poll_result endpoint::poll_decision(chm_waker* w, std::uint64_t number, chm_decision& out) {
    const holding lock(*room_);
    if (known(number).outcome == 0 && deciding_.poll(known(number).ends_ns, w)) end(known(number), CHM_ABORTED);
    if (known(number).outcome == 0) return wait(decided, w);
    shown_ = known(number); // another endpoint may make the room forget it
    out.outcome = shown_.outcome;
    out.yes = shown_.yes;
    out.no = shown_.no;
    out.phases = shown_.level >= CHM_CLASS_HIGH ? 2 : 1; // within the process the second ends with the first
    out.level = shown_.level;
    out.certificate = sdk::str(shown_.certificate);
    return poll_result::ready;
}

poll_result endpoint::poll_barrier(chm_waker* w, std::string_view name) {
    const holding lock(*room_);
    must_be_open();
    if (group_.self == CHM_TO_HUB) throw sdk::error(CHM_E_STATE, "a barrier is for members");
    if (!barrier_.empty() && barrier_ != name) throw sdk::error(CHM_E_STATE, "it waits at barrier " + barrier_);
    if (barrier_.empty()) {
        barrier_ = name;
        room_->barriers[barrier_].insert(group_.self);
        open_barriers();
    }
    if (room_->barriers[barrier_].count(group_.self) != 0) return wait(met, w);
    barrier_.clear();
    return poll_result::ready;
}

void endpoint::clock_offset(std::int32_t who, std::int64_t& offset_ns, std::uint64_t& bound_ns) {
    if (group_.self == CHM_TO_HUB ? !group_.has(who) : who != CHM_TO_HUB)
        throw sdk::error(CHM_E_INVAL, "a member asks about the hub, the hub about a member");
    offset_ns = 0; // one process has one clock
    bound_ns = 0;
}

proposal& endpoint::known(std::uint64_t number) {
    const auto found = room_->proposals.find(number);
    if (found == room_->proposals.end()) throw sdk::error(CHM_E_INVAL, "there is no such proposal");
    if (sdk::now_ns() >= found->second.ends_ns) end(found->second, CHM_ABORTED);
    return found->second;
}

void endpoint::end(proposal& p, std::uint32_t outcome) {
    if (p.outcome != 0) return;
    p.outcome = outcome;
    if (outcome == CHM_ABORTED) p.yes = p.no = 0;
    for (const auto& [who, other] : room_->endpoints) other->wake(decided);
}

void endpoint::open_barriers() {
    std::size_t here = 0;
    for (const auto& [who, other] : room_->endpoints) here += who != CHM_TO_HUB && other->in_ ? 1 : 0;
    for (auto& [name, waiting] : room_->barriers) {
        if (waiting.size() < here) continue;
        for (const std::int32_t who : waiting) find(who)->wake(met);
        waiting.clear();
    }
}

} // namespace my_coordinator
