#include "group/member.hpp"

#include "vote/certificate.hpp"

#include <chimera/sdk/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace chimera::group {
namespace {

using frames::frame;
using frames::kind;

constexpr std::size_t most_open = 1024, most_ended = 1024;

vote::ed25519_signer signer_from(const std::string& group, const party::random_source& random) {
    vote::seed seed{};
    random(std::as_writable_bytes(std::span(seed)));
    vote::ed25519_signer signer(group, seed);
    volatile std::uint8_t* secret = seed.data();
    for (std::size_t i = 0; i < seed.size(); ++i) secret[i] = 0;
    return signer;
}

} // namespace

member::member(membership m, outbox& out, wake_list& woken, random_source random)
    : party(std::move(m), out, woken, std::move(random)), signer_(signer_from(group_.group, random_)),
      voter_(voting_, wire(group_.self), signer_) {
    // Unique in the group: the member's number, and a place to begin that a restarted member does not meet again.
    next_number_ = ((std::uint64_t{wire(group_.self)} + 1) << 48U) | (random_number() & 0xffffffff0000U);
}

frame member::hello(std::uint32_t codecs) const {
    frame f = made(kind::hello);
    f.text = group_.group;
    f.number = group_.fingerprint();
    f.codecs = codecs;
    f.max_message = group_.max_message;
    f.key = std::as_bytes(std::span(signer_.key()));
    return f;
}

void member::welcomed(std::uint64_t now, const frame& welcome) {
    if (welcome.epoch != group_.epoch || welcome.number != group_.fingerprint())
        throw protocol_error("the hub belongs to another group");
    keys_.set(group_.self, std::as_bytes(std::span(signer_.key())));
    in_ = true;
    set_up(CHM_TO_HUB, true);
    event(CHM_EVENT_UP, CHM_TO_HUB);
    for (const vote::report& r : voter_.follow(welcome.incarnation, welcome.sequence).ended) end_aborted(r);
    party::expire(now); // the first ping
    inbox.wake(waiting_for::ready);
}

void member::leave() {
    if (in_ && lost().empty() && !closed()) post(CHM_TO_HUB, made(kind::goodbye));
    lose({}, true);
}

void member::route(std::int32_t, const frame& f) { post(CHM_TO_HUB, f); }

void member::receive(std::uint64_t now, std::int32_t, const frame& f) {
    if (f.epoch != group_.epoch) throw protocol_error("a frame of another epoch");
    if (!in_) throw protocol_error("a frame before the welcome");
    switch (f.kind) {
    case kind::message:
        if (unwire(f.to) != group_.self && unwire(f.to) != CHM_TO_ALL) throw protocol_error("a message to another");
        return deliver(f);
    case kind::credit:
        return credit(f);
    case kind::member:
        return take_member(f);
    case kind::proposal: {
        const timed deciding(stats.decide_ns, &stats.serialize_ns);
        return take_proposal(now, f);
    }
    case kind::quorum: {
        const timed deciding(stats.decide_ns, &stats.serialize_ns);
        return take_quorum(now, f);
    }
    case kind::decision: {
        const timed deciding(stats.decide_ns, &stats.serialize_ns);
        return take_decision(now, f);
    }
    case kind::release:
        if (f.text != at_barrier_) throw protocol_error("a barrier opens where the member does not wait");
        released_ = true;
        inbox.wake(waiting_for::barrier);
        return;
    case kind::ping:
        return answer_ping(now, CHM_TO_HUB, f);
    case kind::pong:
        return take_pong(now, CHM_TO_HUB, f);
    case kind::goodbye:
        event(CHM_EVENT_DOWN, CHM_TO_HUB);
        return lose({}, true);
    default:
        throw protocol_error("a frame that only members send");
    }
}

void member::take_member(const frame& f) {
    const std::int32_t other = unwire(f.from);
    if (!group_.has(other)) throw protocol_error("news of a member that the group does not have");
    if (other == group_.self || is_up(other) == f.yes) return; // a key never changes while its member is here
    if (f.yes) keys_.set(other, f.key);
    set_up(other, f.yes);
    event(f.yes ? CHM_EVENT_UP : CHM_EVENT_DOWN, other);
}

bool member::barrier(std::string_view name) {
    if (released_ && at_barrier_ == name) { // before anything else: the group may have ended since
        released_ = false;
        at_barrier_.clear();
        return true;
    }
    if (!lost().empty() || closed()) throw sdk::error(CHM_E_CLOSED, closed() ? "the group has ended" : lost());
    if (name.empty()) throw sdk::error(CHM_E_INVAL, "a barrier needs a name");
    if (!at_barrier_.empty() && at_barrier_ != name)
        throw sdk::error(CHM_E_STATE, "the member waits at barrier \"" + at_barrier_ + "\"");
    if (!at_barrier_.empty()) return false;
    frame f = made(kind::arrive);
    f.text = name;
    post(CHM_TO_HUB, f); // throws if a text in it is not UTF-8
    at_barrier_ = name;
    if (!released_) return false;
    released_ = false;
    at_barrier_.clear();
    return true;
}

// ---- decisions

std::uint64_t member::propose(std::uint64_t now, std::string_view action, std::string_view body) {
    if (!lost().empty() || closed()) throw sdk::error(CHM_E_CLOSED, closed() ? "the group has ended" : lost());
    const timed deciding(stats.decide_ns, &stats.serialize_ns);
    const vote::level level = group_.policy->classify(action);
    if (!vote::enough_voters(level, static_cast<std::uint32_t>(group_.size())))
        throw sdk::error(CHM_E_STATE, "action \"" + std::string(action) + "\" has class " +
                                          std::string(vote::text(level)) + ", which needs 4 members or more");
    if (action.size() > voting_.limits.longest_action || body.size() > voting_.limits.longest_body)
        throw sdk::error(CHM_E_LIMIT, "the proposal is longer than the group allows");
    if (open_ >= most_open) throw sdk::error(CHM_E_LIMIT, "too many proposals are open");
    const std::uint64_t number = ++next_number_;
    frame f = made(kind::propose);
    f.number = number;
    f.text = action;
    f.body = bytes(body);
    post(CHM_TO_HUB, f); // throws if a text in it is not UTF-8
    begin(now, number, level);
    return number;
}

std::uint64_t member::number_of(const vote::ballot_id& id) const {
    const auto found = numbers_.find(id);
    return found == numbers_.end() ? 0 : found->second;
}

void member::take_proposal(std::uint64_t now, const frame& f) {
    if (f.number >> 48U != f.from + 1U) throw protocol_error("a proposal with a number that is not its proposer's");
    const auto level = level_of(f.decision_class);
    const vote::ballot_id id{f.epoch, f.incarnation, f.sequence};
    const vote::answer a =
        voter_.receive(vote::proposal{id, level, f.from, std::string(f.text), std::string(text(f.body))}, now);
    if (a.contradiction) inbox.add_event({CHM_EVENT_EQUIVOCATION, 0, CHM_TO_HUB, f.number, {}, {}});
    if (a.ask) {
        const auto own = proposals_.find(f.number);
        known_proposal& known = own == proposals_.end() ? begin(now, f.number, level) : own->second;
        if (known.id) throw protocol_error("two proposals with one number");
        known.id = id;
        numbers_[id] = f.number;
        inbox.add_event({CHM_EVENT_PROPOSAL, class_of(level), unwire(f.from), f.number, std::string(f.text),
                         std::string(text(f.body))});
    }
    act_on(a, f.number);
}

void member::cast(std::uint64_t now, std::uint64_t number, bool yes) {
    const timed deciding(stats.decide_ns, &stats.serialize_ns);
    const auto found = proposals_.find(number);
    if (found == proposals_.end() || !found->second.id)
        throw sdk::error(CHM_E_INVAL, "no proposal with the number " + std::to_string(number) + " is up for a vote");
    known_proposal& known = found->second;
    if (known.cast || known.ended)
        throw sdk::error(CHM_E_STATE, known.cast ? "this member has voted already" : "the proposal has ended");
    if (!lost().empty() || closed()) throw sdk::error(CHM_E_CLOSED, closed() ? "the group has ended" : lost());
    const vote::answer a = voter_.cast(*known.id, yes ? vote::choice::yes : vote::choice::no, now);
    known.cast = true;
    act_on(a, number);
    if (a.refused != vote::reason::none)
        throw sdk::error(CHM_E_STATE, "the vote comes too late: " + std::string(vote::text(a.refused)));
}

void member::take_quorum(std::uint64_t now, const frame& f) {
    const auto proof = vote::certificate_from({reinterpret_cast<const std::uint8_t*>(f.body.data()), f.body.size()});
    if (!proof) throw protocol_error("a certificate that cannot be read");
    const vote::answer a = voter_.receive(*proof, now);
    if (a.contradiction) inbox.add_event({CHM_EVENT_EQUIVOCATION, 0, CHM_TO_HUB, f.number, {}, {}});
    if (const auto known = proposals_.find(f.number); known != proposals_.end() && a.refused == vote::reason::none)
        known->second.end.phases = 2;
    act_on(a, number_of(proof->claim.id));
}

void member::take_decision(std::uint64_t now, const frame& f) {
    if (f.sequence == 0) { // the hub did not take a proposal of this member
        const auto mine = proposals_.find(f.number);
        if (mine != proposals_.end() && !mine->second.id)
            end(f.number, mine->second, {CHM_ABORTED, 0, 0, 1, mine->second.end.level, {}});
        return;
    }
    vote::decision d;
    d.id = {f.epoch, f.incarnation, f.sequence};
    d.level = level_of(f.decision_class);
    d.outcome = static_cast<vote::outcome>(f.outcome - 1);
    d.why = d.outcome == vote::outcome::aborted ? vote::reason::time_limit : vote::reason::none;
    if (!f.digest.empty()) std::memcpy(d.digest.data(), f.digest.data(), d.digest.size());
    if (!f.body.empty()) {
        d.proof = vote::certificate_from({reinterpret_cast<const std::uint8_t*>(f.body.data()), f.body.size()});
        if (!d.proof) throw protocol_error("a certificate that cannot be read");
    }
    const vote::answer a = voter_.receive(d, now);
    if (a.contradiction) inbox.add_event({CHM_EVENT_EQUIVOCATION, 0, CHM_TO_HUB, f.number, {}, {}});
    if (const auto known = proposals_.find(number_of(d.id)); a.ended && known != proposals_.end()) {
        ended_proposal e{static_cast<std::uint32_t>(a.ended->outcome) + 1,
                         f.votes_for,
                         f.votes_against,
                         std::max<std::uint32_t>(f.phase, 1),
                         d.level,
                         std::string(text(f.body))};
        end(known->first, known->second, std::move(e));
    }
}

void member::act_on(const vote::answer& a, std::uint64_t number) {
    if (a.send && lost().empty() && !closed()) {
        const vote::claim& c = a.send->statement.claim;
        frame f = made(kind::vote);
        f.number = number;
        f.sequence = c.id.sequence;
        f.incarnation = c.id.incarnation;
        f.phase = static_cast<std::uint8_t>(c.phase);
        f.decision_class = static_cast<std::uint8_t>(class_of(c.level));
        f.yes = c.choice == vote::choice::yes;
        f.digest = std::as_bytes(std::span(c.digest));
        if (vote::is_signed(c.level)) f.signature = std::as_bytes(std::span(a.send->signature));
        post(CHM_TO_HUB, f);
    }
    if (a.ended && a.ended->outcome == vote::outcome::aborted) end_aborted(*a.ended);
}

void member::end_aborted(const vote::report& r) {
    const auto known = proposals_.find(number_of(r.id));
    if (known != proposals_.end())
        end(known->first, known->second, {CHM_ABORTED, 0, 0, known->second.end.phases, known->second.end.level, {}});
}

member::known_proposal& member::begin(std::uint64_t now, std::uint64_t number, vote::level level) {
    known_proposal& p = proposals_[number];
    p.deadline = now + group_.decision_ns;
    p.end.level = level;
    open_order_.push_back(number);
    ++open_;
    return p;
}

void member::end(std::uint64_t number, known_proposal& p, ended_proposal e) {
    if (p.ended) return;
    p.ended = true;
    p.end = std::move(e);
    --open_;
    ended_order_.push_back(number);
    inbox.wake(waiting_for::decision);
    if (ended_order_.size() > most_ended) {
        const auto oldest = proposals_.find(ended_order_.front());
        ended_order_.pop_front();
        if (oldest->second.id) numbers_.erase(*oldest->second.id);
        proposals_.erase(oldest);
    }
    // One that is forgotten has ended long ago.
    while (!open_order_.empty()) {
        const auto first = proposals_.find(open_order_.front());
        if (first != proposals_.end() && !first->second.ended) break;
        open_order_.pop_front();
    }
}

const party::ended_proposal* member::decision(std::uint64_t number) const {
    const auto found = proposals_.find(number);
    if (found == proposals_.end())
        throw sdk::error(CHM_E_INVAL, "no proposal has the number " + std::to_string(number));
    return found->second.ended ? &found->second.end : nullptr;
}

std::uint64_t member::expiry() const {
    std::uint64_t next = std::min(party::expiry(), voter_.next_expiry().value_or(UINT64_MAX));
    if (!open_order_.empty()) next = std::min(next, proposals_.at(open_order_.front()).deadline);
    return next;
}

void member::expire(std::uint64_t now) {
    party::expire(now);
    for (const vote::report& r : voter_.expire(now)) end_aborted(r);
    while (!open_order_.empty()) {
        const std::uint64_t number = open_order_.front();
        known_proposal& p = proposals_.at(number);
        if (p.deadline > now) return;
        end(number, p, {CHM_ABORTED, 0, 0, p.end.phases, p.end.level, {}}); // takes it off
        if (!open_order_.empty() && open_order_.front() == number) open_order_.pop_front();
    }
}

} // namespace chimera::group
