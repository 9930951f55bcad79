#include "group/party.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

#include <algorithm>
#include <cstring>

namespace chimera::group {
namespace {

constexpr std::uint64_t ping_interval_ns = 1'000'000'000;
/// An offset of this age is replaced by a worse one: clocks drift.
constexpr std::uint64_t stale_ns = 60'000'000'000;

vote::limits limits_of(const membership& m) {
    vote::limits limits;
    limits.most_open = 1024;
    limits.most_ended = 1024;
    limits.longest_action = 4096;
    limits.longest_body = m.max_message;
    // The hub gives up first, so that most members hear of it.
    limits.hub_time_limit_ns = m.decision_ns - m.decision_ns / 5;
    limits.voter_time_limit_ns = m.decision_ns;
    return limits;
}

} // namespace

timed::timed(std::uint64_t& into, const std::uint64_t* apart) noexcept
    : into_(into), apart_(apart), before_(apart == nullptr ? 0 : *apart), begin_(sdk::now_ns()) {}
timed::~timed() { into_ += sdk::now_ns() - begin_ - (apart_ == nullptr ? 0 : *apart_ - before_); }

known_keys::known_keys(std::string group, std::size_t members) : group_(std::move(group)), keys_(members) {}

void known_keys::set(std::int32_t member, std::span<const std::byte> key) {
    vote::public_key k{};
    if (key.size() != k.size()) throw protocol_error("a member's signing key has 32 bytes");
    std::memcpy(k.data(), key.data(), k.size());
    auto with = keys_;
    with[static_cast<std::size_t>(member)] = k;
    try {
        roster_.emplace(vote::roster::as_far_as_known(group_, with));
    } catch (const std::invalid_argument& e) {
        throw protocol_error(e.what());
    }
    keys_ = std::move(with);
}

bool known_keys::verify(const vote::statement& said, const vote::signature& by) const {
    return roster_ && roster_->verify(said, by);
}

party::party(membership m, outbox& out, wake_list& woken, random_source random, const vote::rules& rules)
    : inbox(woken), group_(std::move(m)),
      keys_(group_.group, group_.members.size()), voting_{group_.epoch,   static_cast<std::uint32_t>(group_.size()),
                                                          *group_.policy, rules,
                                                          keys_,          limits_of(group_)},
      random_(std::move(random)), out_(out), peers_(group_.members.size() + 1), offsets_(peers_.size()) {
    stats.size = sizeof stats;
}

const vote::rules& party::usual_rules() {
    static const vote::rules usual;
    return usual;
}

std::uint64_t party::random_number() {
    std::uint64_t n = 0;
    random_(std::as_writable_bytes(std::span(&n, 1)));
    return n;
}

frames::frame party::made(frames::kind kind) const {
    frames::frame f;
    f.kind = kind;
    f.from = wire(group_.self);
    f.to = wire(CHM_TO_HUB);
    f.epoch = group_.epoch;
    return f;
}

void party::post(std::int32_t to, const frames::frame& f) {
    ++stats.frames_sent;
    out_.send(to, f);
}

void party::set_up(std::int32_t who, bool up) {
    const std::uint32_t waiting = peers_[place(who)].waiting;
    peers_[place(who)] = {0, up ? 0 : waiting, 0, up};
    inbox.wake(waiting_for::room);
    if (up && next_ping_ == UINT64_MAX) next_ping_ = 0;
}

// ---- messages

template <class Act>
void party::for_receivers(std::int32_t to, Act&& act) {
    if (to != CHM_TO_ALL) return act(peers_[place(to)]);
    for (std::size_t i = 0; i < peers_.size(); ++i)
        if (i != place(group_.self) && peers_[i].up) act(peers_[i]);
}

bool party::send(std::uint64_t now, std::int32_t to, std::uint32_t channel, std::span<const chm_str> parts,
                 std::uint64_t& seq) {
    if (!lost_.empty() || closed_) throw sdk::error(CHM_E_CLOSED, closed_ ? "the group has ended" : lost_);
    if (to != CHM_TO_ALL && (!knows(to) || to == group_.self))
        throw sdk::error(CHM_E_INVAL, "no receiver has the number " + std::to_string(to) +
                                          (to == group_.self ? ": it is the sender itself" : ""));
    if (to != CHM_TO_ALL && !is_up(to))
        throw sdk::error(CHM_E_CLOSED, std::string(group_.name_of(to)) + " is not in the group now");
    std::size_t length = 0;
    for (const chm_str& part : parts) length += part.len;
    if (length > group_.max_message)
        throw sdk::error(CHM_E_LIMIT, "a message of " + std::to_string(length) + " bytes is longer than max_message, " +
                                          std::to_string(group_.max_message));
    bool room = true;
    for_receivers(to, [&](const window& w) { room = room && w.on_their_way < group_.max_queue; });
    if (!room) return false;
    for_receivers(to, [](window& w) { ++w.on_their_way; });
    seq = ++sent_[{to, channel}];
    frames::frame f = made(frames::kind::message);
    f.to = wire(to);
    f.channel = channel;
    f.sequence = seq;
    f.time_ns = now;
    if (parts.size() == 1) {
        f.body = bytes(sdk::view(parts.front()));
    } else {
        joined_parts_.clear();
        for (const chm_str& part : parts) joined_parts_ += sdk::view(part);
        f.body = bytes(joined_parts_);
    }
    ++stats.messages_sent;
    route(to, f);
    return true;
}

void party::deliver(const frames::frame& f) {
    const std::int32_t from = unwire(f.from);
    if (!knows(from) || from == group_.self) throw protocol_error("a message without a sender");
    if (f.body.size() > group_.max_message) throw protocol_error("a message is longer than max_message");
    window& w = peers_[place(from)];
    // Twice: a window that was under way when this endpoint came back is followed by a new one.
    if (w.waiting >= 2 * group_.max_queue) throw protocol_error("more messages than the window allows");
    ++w.waiting;
    held_message& m = inbox.add_message();
    m.from = from;
    m.to = unwire(f.to);
    m.channel = f.channel;
    m.seq = f.sequence;
    m.sent_ns = f.time_ns;
    m.body.assign(text(f.body));
}

const held_message* party::next_message() {
    const held_message* m = inbox.next_message();
    if (m == nullptr) return nullptr;
    ++stats.messages_received;
    window& w = peers_[place(m->from)];
    if (w.waiting > 0) --w.waiting;
    // Half a window at a time: the sender never waits for what is not told yet.
    if (w.up && ++w.to_return >= std::max<std::uint32_t>(1, group_.max_queue / 2)) {
        frames::frame f = made(frames::kind::credit);
        f.to = wire(m->from);
        f.number = std::exchange(w.to_return, 0);
        route(m->from, f);
    }
    return m;
}

void party::credit(const frames::frame& f) {
    const std::int32_t from = unwire(f.from);
    if (!knows(from)) throw protocol_error("room for messages, from nobody");
    window& w = peers_[place(from)];
    // What was on its way to a peer that went and came again does not count any more.
    w.on_their_way -= static_cast<std::uint32_t>(std::min<std::uint64_t>(w.on_their_way, f.number));
    inbox.wake(waiting_for::room);
}

void party::lose(std::string why, bool in_order) {
    if (!lost_.empty() || closed_) return;
    if (in_order)
        closed_ = true;
    else
        lost_ = std::move(why);
    for (window& w : peers_) w.up = false;
    next_ping_ = UINT64_MAX;
    inbox.wake_all();
}

// ---- clocks

void party::ping(std::uint64_t now, std::int32_t who) {
    frames::frame f = made(frames::kind::ping);
    f.to = wire(who);
    f.time_ns = now;
    post(who, f);
}

void party::answer_ping(std::uint64_t now, std::int32_t from, const frames::frame& asked) {
    frames::frame f = made(frames::kind::pong);
    f.to = wire(from);
    f.time_ns = asked.time_ns;
    f.time2_ns = now;
    post(from, f);
}

void party::take_pong(std::uint64_t now, std::int32_t from, const frames::frame& f) {
    if (f.time_ns > now) throw protocol_error("an answer to a ping of the future");
    // The peer looked at its clock somewhere between: half of the way either side of the middle.
    const std::uint64_t bound = (now - f.time_ns + 1) / 2;
    offset& known = offsets_[place(from)];
    if (bound > known.bound && now - known.measured < stale_ns) return;
    known = {static_cast<std::int64_t>(f.time2_ns - (f.time_ns + (now - f.time_ns) / 2)), bound, now};
}

void party::clock_offset(std::int32_t who, std::int64_t& offset_ns, std::uint64_t& bound_ns) const {
    if (!knows(who) || who == group_.self || (!group_.is_hub() && who != CHM_TO_HUB))
        throw sdk::error(CHM_E_INVAL, "a member asks about the hub's clock, and the hub about a member's");
    const offset& known = offsets_[place(who)];
    if (known.bound == UINT64_MAX)
        throw sdk::error(CHM_E_STATE, "the clock of " + std::string(group_.name_of(who)) + " was not measured yet");
    offset_ns = known.ns;
    bound_ns = known.bound;
}

std::uint64_t party::expiry() const { return next_ping_; }

void party::expire(std::uint64_t now) {
    if (now < next_ping_) return;
    next_ping_ = now + ping_interval_ns;
    if (!group_.is_hub()) return ping(now, CHM_TO_HUB);
    for (std::int32_t i = 0; i < group_.size(); ++i)
        if (is_up(i)) ping(now, i);
}

} // namespace chimera::group
