// Joining, leaving, and messages.
#include "endpoint.hpp"

namespace my_coordinator {

endpoint::endpoint(std::shared_ptr<room> in, membership m, chm_reactor* reactor)
    : room_(std::move(in)), group_(std::move(m)), joining_(reactor), deciding_(reactor) {
    const holding lock(*room_);
    if (!room_->endpoints.emplace(group_.self, this).second) throw sdk::error(CHM_E_STATE, "this place is taken");
    if (group_.self != CHM_TO_HUB) return;
    in_ = true;
    for (const auto& [who, other] : room_->endpoints) other->wake(ready);
}

poll_result endpoint::poll_ready(chm_waker* w) {
    const holding lock(*room_);
    if (in_) return poll_result::ready;
    endpoint* const hub = find(CHM_TO_HUB);
    if (hub == nullptr) {
        if (joining_.poll(gives_up_ns_, w)) throw sdk::error(CHM_E_CONNECT, "the group has no hub in this process");
        return wait(ready, w);
    }
    if (hub->group_.epoch != group_.epoch || hub->group_.members != group_.members)
        throw sdk::error(CHM_E_PROTO, "the hub was given another epoch or other members");
    for (const auto& [who, other] : room_->endpoints)
        if (other->in_) {
            add_event({CHM_EVENT_UP, who});
            other->add_event({CHM_EVENT_UP, group_.self});
        }
    in_ = true;
    return poll_result::ready;
}

void endpoint::close() noexcept {
    {
        const holding lock(*room_);
        for (sdk::waker& w : wakers_) w = {};
        room_->endpoints.erase(group_.self);
        for (auto& [name, waiting] : room_->barriers) waiting.erase(group_.self);
        for (const auto& [who, other] : room_->endpoints) {
            if (!in_ || !other->in_) continue;
            other->add_event({CHM_EVENT_DOWN, group_.self});
            if (group_.self == CHM_TO_HUB) other->ended_ = true;
            for (const kind k : {room_for_one, received, heard, met}) other->wake(k); // each sees what is left
        }
        if (group_.self == CHM_TO_HUB)
            for (auto& [number, p] : room_->proposals) end(p, CHM_ABORTED);
        open_barriers();
    }
    delete this;
}

poll_result endpoint::poll_send(chm_waker* w, std::int32_t to, std::uint32_t channel, std::span<const chm_str> parts,
                                std::uint64_t& seq) {
    const holding lock(*room_);
    must_be_open();
    if (to == group_.self || (to != CHM_TO_ALL && to != CHM_TO_HUB && !group_.has(to)))
        throw sdk::error(CHM_E_INVAL, "no other endpoint has this number");
    std::string body;
    for (const chm_str& part : parts) body += sdk::view(part);
    if (body.size() > group_.max_message) throw sdk::error(CHM_E_LIMIT, "the message is longer than max_message");
    std::vector<endpoint*> receivers;
    for (const auto& [who, other] : room_->endpoints)
        if (other->in_ && other != this && (to == CHM_TO_ALL || to == who)) receivers.push_back(other);
    if (receivers.empty() && to != CHM_TO_ALL) throw sdk::error(CHM_E_CLOSED, "the receiver is not in the group");
    for (endpoint* r : receivers)
        if (r->waiting_from_[group_.self] >= group_.max_queue) return wait(room_for_one, w);
    seq = ++sent_[{to, channel}];
    for (endpoint* r : receivers) {
        ++r->waiting_from_[group_.self];
        r->messages_.push_back({group_.self, to, channel, seq, sdk::now_ns(), body});
        r->wake(received);
    }
    ++stats_.messages_sent;
    return poll_result::ready;
}

poll_result endpoint::poll_receive(chm_waker* w, chm_message& out) {
    const holding lock(*room_);
    if (messages_.empty()) return nothing_left(received, w);
    read_ = std::move(messages_.front());
    messages_.pop_front();
    --waiting_from_[read_.from];
    if (endpoint* sender = find(read_.from)) sender->wake(room_for_one);
    out.from = read_.from;
    out.to = read_.to;
    out.channel = read_.channel;
    out.seq = read_.seq;
    out.sent_ns = read_.sent_ns;
    out.body = sdk::str(read_.body);
    ++stats_.messages_received;
    return poll_result::ready;
}

poll_result endpoint::poll_event(chm_waker* w, chm_group_event& out) {
    const holding lock(*room_);
    if (events_.empty()) return nothing_left(heard, w);
    told_ = std::move(events_.front());
    events_.pop_front();
    out.kind = told_.kind;
    out.who = told_.who;
    out.level = told_.level;
    out.proposal = told_.proposal;
    out.action = sdk::str(told_.action);
    out.body = sdk::str(told_.body);
    return poll_result::ready;
}

} // namespace my_coordinator
