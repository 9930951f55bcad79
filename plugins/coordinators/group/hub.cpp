#include "group/hub.hpp"

#include "vote/certificate.hpp"

#include <chimera/sdk/error.hpp>

#include <algorithm>
#include <cstring>

namespace chimera::group {
namespace {

using frames::frame;
using frames::kind;

/// Ended proposals that the hub's own task may ask about.
constexpr std::size_t most_ended = 1024;
/// A number begins with that of its proposer, plus 1 (member::propose).
constexpr unsigned proposer_bits = 48;

vote::vote_message vote_of(const frame& f) {
    vote::vote_message said;
    vote::claim& c = said.statement.claim;
    c.id = {f.epoch, f.incarnation, f.sequence};
    c.phase = static_cast<vote::phase>(f.phase);
    c.level = level_of(f.decision_class);
    c.choice = f.yes ? vote::choice::yes : vote::choice::no;
    if (!f.digest.empty()) std::memcpy(c.digest.data(), f.digest.data(), c.digest.size());
    if (!f.signature.empty()) std::memcpy(said.signature.data(), f.signature.data(), said.signature.size());
    said.statement.voter = f.from;
    return said;
}

/// As a system that collects all votes before it counts them.
class waiting_for_all final : public vote::rules {
  public:
    verdict judge(vote::level l, std::uint32_t members, std::uint32_t yes, std::uint32_t no) const override {
        return yes + no < members ? verdict::open : rules::judge(l, members, yes, no);
    }
};
const vote::rules& patient_rules() {
    static const waiting_for_all rules;
    return rules;
}

std::uint32_t outcome_of(vote::outcome o) noexcept { return static_cast<std::uint32_t>(o) + 1; }

} // namespace

hub::hub(membership m, outbox& out, wake_list& woken, random_source random, bool wait_for_all)
    : party(std::move(m), out, woken, std::move(random), wait_for_all ? patient_rules() : usual_rules()),
      box_(voting_, random_number()), at_barrier_(group_.members.size()),
      on_the_way_(group_.members.size() * group_.members.size()), signing_keys_(group_.members.size()) {}

// ---- members

std::string hub::admit(const frame& hello) {
    const std::int32_t who = unwire(hello.from);
    if (hello.text != group_.group) return "it belongs to another group; this is \"" + group_.group + "\"";
    if (hello.epoch != group_.epoch)
        return "its epoch is " + std::to_string(hello.epoch) + ", and the group's is " + std::to_string(group_.epoch);
    if (hello.number != group_.fingerprint())
        return "its members, actions or limits are not those of the group; give all endpoints the same";
    if (!group_.has(who)) return "no member has the number " + std::to_string(who);
    if (is_up(who)) return "member \"" + std::string(group_.name_of(who)) + "\" is in the group already";
    try {
        keys_.set(who, hello.key);
    } catch (const protocol_error& e) {
        return e.what();
    }
    signing_keys_[static_cast<std::size_t>(who)] = text(hello.key);
    set_up(who, true);
    event(CHM_EVENT_UP, who);
    return {};
}

frame hub::welcome() const {
    frame f = made(kind::welcome);
    f.number = group_.fingerprint();
    f.incarnation = box_.incarnation();
    f.sequence = box_.next_sequence();
    f.max_message = group_.max_message;
    return f;
}

frame hub::about_member(std::int32_t who) const {
    frame f = made(kind::member);
    f.from = wire(who);
    f.yes = is_up(who);
    f.text = group_.name_of(who);
    if (f.yes) f.key = bytes(signing_keys_[static_cast<std::size_t>(who)]);
    return f;
}

void hub::brief(std::int32_t who) {
    for (std::int32_t other = 0; other < group_.size(); ++other)
        if (other != who && is_up(other)) post(who, about_member(other));
    to_all(about_member(who), who);
}

void hub::member_left(std::int32_t who) {
    if (!is_up(who)) return;
    set_up(who, false);
    event(CHM_EVENT_DOWN, who);
    at_barrier_[static_cast<std::size_t>(who)].clear();
    for (std::int32_t other = 0; other < group_.size(); ++other) on_the_way(who, other) = on_the_way(other, who) = 0;
    to_all(about_member(who));
    close_barriers();
}

void hub::leave() {
    to_all(made(kind::goodbye));
    lose({}, true);
}

// ---- messages

void hub::to_all(const frame& f, std::int32_t but) {
    for (std::int32_t i = 0; i < group_.size(); ++i)
        if (i != but && is_up(i)) post(i, f);
}

void hub::route(std::int32_t to, const frame& f) {
    if (to == CHM_TO_ALL)
        to_all(f);
    else if (is_up(to))
        post(to, f);
}

std::uint32_t& hub::on_the_way(std::int32_t from, std::int32_t to) {
    return on_the_way_[static_cast<std::size_t>(from) * group_.members.size() + static_cast<std::size_t>(to)];
}

void hub::count_on_the_way(std::int32_t from, std::int32_t to) {
    // Twice a window, as at the receiver (party::deliver): who sends more is at fault, and not who gets it.
    if (++on_the_way(from, to) > 2 * group_.max_queue) throw protocol_error("more messages than the window allows");
}

void hub::pass_on(std::int32_t from, const frame& f) {
    const std::int32_t to = unwire(f.to);
    if (f.kind == kind::message) {
        if (to == CHM_TO_HUB) return deliver(f);
        if (to != CHM_TO_ALL && (!group_.has(to) || to == from)) throw protocol_error("a message to nobody");
        for (std::int32_t i = 0; i < group_.size(); ++i)
            if ((to == CHM_TO_ALL || i == to) && i != from && is_up(i)) count_on_the_way(from, i);
        if (to != CHM_TO_ALL) return route(to, f);
        deliver(f);
        return to_all(f, from);
    }
    if (to == CHM_TO_HUB) return credit(f);
    if (!group_.has(to) || to == from) throw protocol_error("room for messages, for nobody");
    std::uint32_t& waiting = on_the_way(to, from);
    if (f.number == 0 || f.number > waiting) throw protocol_error("more room than messages were sent");
    waiting -= static_cast<std::uint32_t>(f.number);
    route(to, f);
}

void hub::receive(std::uint64_t now, std::int32_t from, const frame& f) {
    if (unwire(f.from) != from) throw protocol_error("a frame with another sender's number");
    if (f.epoch != group_.epoch) throw protocol_error("a frame of another epoch");
    switch (f.kind) {
    case kind::message:
    case kind::credit:
        return pass_on(from, f);
    case kind::propose: {
        const timed deciding(stats.decide_ns, &stats.serialize_ns);
        return take_proposal(now, from, f);
    }
    case kind::vote: {
        const timed deciding(stats.decide_ns, &stats.serialize_ns);
        return take_vote(now, from, f);
    }
    case kind::arrive: {
        std::string& at = at_barrier_[static_cast<std::size_t>(from)];
        if (!at.empty()) throw protocol_error("a member waits at one barrier at a time");
        at = f.text;
        return close_barriers();
    }
    case kind::ping:
        return answer_ping(now, from, f);
    case kind::pong:
        return take_pong(now, from, f);
    case kind::goodbye:
        return member_left(from);
    default:
        throw protocol_error("a frame that only the hub sends");
    }
}

bool hub::barrier(std::string_view) { throw sdk::error(CHM_E_STATE, "a barrier is for members; the hub has none"); }

void hub::close_barriers() {
    // At most one name can have everybody who is here.
    std::string_view name;
    for (std::int32_t i = 0; i < group_.size(); ++i) {
        if (!is_up(i)) continue;
        const std::string& at = at_barrier_[static_cast<std::size_t>(i)];
        if (at.empty() || (!name.empty() && at != name)) return;
        name = at;
    }
    if (name.empty()) return;
    frame f = made(kind::release);
    f.text = name;
    to_all(f);
    for (std::string& at : at_barrier_) at.clear();
}

// ---- decisions

std::uint64_t hub::propose(std::uint64_t, std::string_view, std::string_view) {
    throw sdk::error(CHM_E_STATE, "only members propose; this is the hub");
}
void hub::cast(std::uint64_t, std::uint64_t, bool) {
    throw sdk::error(CHM_E_STATE, "only members vote; this is the hub");
}
const party::ended_proposal* hub::decision(std::uint64_t number) const {
    if (const auto found = ended_.find(number); found != ended_.end()) return &found->second;
    if (known_numbers_.contains(number)) return nullptr;
    throw sdk::error(CHM_E_INVAL, "no proposal has the number " + std::to_string(number));
}

void hub::take_proposal(std::uint64_t now, std::int32_t from, const frame& f) {
    if (f.number >> proposer_bits != wire(from) + 1U || known_numbers_.contains(f.number))
        throw protocol_error("a proposal with a number that is not the proposer's to give");
    const auto made_ballot = box_.propose(wire(from), std::string(f.text), std::string(text(f.body)), now);
    if (made_ballot.made == nullptr) {
        frame no = made(kind::decision);
        no.number = f.number;
        no.decision_class = static_cast<std::uint8_t>(class_of(group_.policy->classify(f.text)));
        no.outcome = CHM_ABORTED;
        no.text = vote::text(made_ballot.refused);
        return post(from, no);
    }
    numbers_[made_ballot.made->id.sequence] = f.number;
    known_numbers_.insert(f.number);
    to_all(about_proposal(*made_ballot.made));
}

frame hub::about_proposal(const vote::proposal& p) const {
    frame f = made(kind::proposal);
    f.from = p.proposer;
    f.number = numbers_.at(p.id.sequence);
    f.sequence = p.id.sequence;
    f.incarnation = p.id.incarnation;
    f.decision_class = static_cast<std::uint8_t>(class_of(p.is));
    f.text = p.action;
    f.body = bytes(p.body);
    return f;
}

void hub::take_vote(std::uint64_t now, std::int32_t from, const frame& f) {
    const vote::receipt r = box_.receive(wire(from), vote_of(f), now);
    if (r.contradiction) {
        const auto number = numbers_.find(f.sequence);
        inbox.add_event({CHM_EVENT_EQUIVOCATION, 0, from, number == numbers_.end() ? 0 : number->second, {}, {}});
    }
    if (r.prepared) send_quorum(*r.prepared);
    if (r.decided) send_decision(*r.decided);
}

void hub::send_quorum(const vote::certificate& c) {
    const auto proof = vote::to_bytes(c);
    frame f = made(kind::quorum);
    f.number = numbers_.at(c.claim.id.sequence);
    f.sequence = c.claim.id.sequence;
    f.incarnation = c.claim.id.incarnation;
    f.body = std::as_bytes(std::span(proof));
    to_all(f);
}

void hub::send_decision(const vote::decision& d) {
    frame f = made(kind::decision);
    f.number = numbers_.at(d.id.sequence);
    f.sequence = d.id.sequence;
    f.incarnation = d.id.incarnation;
    f.decision_class = static_cast<std::uint8_t>(class_of(d.level));
    f.outcome = static_cast<std::uint8_t>(outcome_of(d.outcome));
    f.digest = std::as_bytes(std::span(d.digest));
    if (d.outcome == vote::outcome::aborted) f.text = vote::text(d.why);
    std::vector<std::uint8_t> proof;
    if (d.proof) proof = vote::to_bytes(*d.proof);
    f.body = std::as_bytes(std::span(proof));
    ended_proposal end{f.outcome, 0, 0, 1, d.level, std::string(text(f.body))};
    if (const vote::ballot* b = box_.find(d.id.sequence); b != nullptr && d.outcome != vote::outcome::aborted) {
        for (std::uint32_t i = 0; i < wire(group_.size()); ++i)
            if (const vote::vote_message* v = b->vote_of(vote::phase::prepare, i))
                ++(v->statement.claim.choice == vote::choice::yes ? end.yes : end.no);
        end.phases = b->phase() == vote::phase::commit ? 2 : 1;
    }
    f.votes_for = end.yes;
    f.votes_against = end.no;
    f.phase = static_cast<std::uint8_t>(end.phases);
    to_all(f);
    ended_[f.number] = std::move(end);
    ended_order_.push_back(d.id.sequence);
    if (ended_order_.size() > most_ended) {
        const auto oldest = numbers_.find(ended_order_.front());
        ended_order_.pop_front();
        ended_.erase(oldest->second);
        known_numbers_.erase(oldest->second);
        numbers_.erase(oldest);
    }
    inbox.wake(waiting_for::decision);
}

std::uint64_t hub::expiry() const { return std::min(party::expiry(), box_.next_expiry().value_or(UINT64_MAX)); }

void hub::expire(std::uint64_t now) {
    party::expire(now);
    for (const vote::decision& d : box_.expire(now)) send_decision(d);
}

} // namespace chimera::group
