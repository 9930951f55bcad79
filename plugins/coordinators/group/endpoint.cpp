#include "group/endpoint.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/text.hpp>

namespace chimera::group {

using sdk::poll_result;

poll_result endpoint::poll_ready(chm_waker* waker) {
    const holding lock(lock_);
    if (is_ready()) return poll_result::ready;
    core().inbox.wait(waiting_for::ready, waker);
    moved();
    return poll_result::pending;
}

poll_result endpoint::poll_send(chm_waker* waker, std::int32_t to, std::uint32_t channel,
                                std::span<const chm_str> parts, std::uint64_t& seq) {
    const holding lock(lock_);
    if (!core().send(sdk::now_ns(), to, channel, parts, seq)) {
        core().inbox.wait(waiting_for::room, waker);
        return poll_result::pending;
    }
    moved();
    return poll_result::ready;
}

poll_result endpoint::end_of_stream(waiting_for what, chm_waker* waker) {
    if (!core().lost().empty()) throw sdk::error(CHM_E_CLOSED, core().lost());
    if (core().closed()) return poll_result::end;
    core().inbox.wait(what, waker);
    return poll_result::pending;
}

poll_result endpoint::poll_receive(chm_waker* waker, chm_message& out) {
    const holding lock(lock_);
    const held_message* m = core().next_message();
    if (m == nullptr) return end_of_stream(waiting_for::message, waker);
    moved(); // its sender may have got room
    out.from = m->from;
    out.to = m->to;
    out.channel = m->channel;
    out.seq = m->seq;
    out.sent_ns = m->sent_ns;
    out.body = sdk::str(m->body);
    return poll_result::ready;
}

poll_result endpoint::poll_event(chm_waker* waker, chm_group_event& out) {
    const holding lock(lock_);
    const held_event* e = core().inbox.next_event();
    if (e == nullptr) return end_of_stream(waiting_for::event, waker);
    out.kind = e->kind;
    out.who = e->who;
    out.level = e->level;
    out.proposal = e->proposal;
    out.action = sdk::str(e->action);
    out.body = sdk::str(e->body);
    return poll_result::ready;
}

std::uint64_t endpoint::propose(std::string_view action, std::string_view body) {
    const holding lock(lock_);
    const std::uint64_t number = core().propose(sdk::now_ns(), action, body);
    moved();
    return number;
}

void endpoint::vote(std::uint64_t proposal, bool yes) {
    const holding lock(lock_);
    core().cast(sdk::now_ns(), proposal, yes);
    moved();
}

poll_result endpoint::poll_decision(chm_waker* waker, std::uint64_t proposal, chm_decision& out) {
    const holding lock(lock_);
    const party::ended_proposal* end = core().decision(proposal);
    if (end == nullptr) {
        core().inbox.wait(waiting_for::decision, waker);
        return poll_result::pending;
    }
    last_decision_ = *end; // the party may forget it
    out.outcome = end->outcome;
    out.yes = end->yes;
    out.no = end->no;
    out.phases = end->phases;
    out.level = class_of(end->level);
    out.certificate = sdk::str(last_decision_.certificate);
    return poll_result::ready;
}

poll_result endpoint::poll_barrier(chm_waker* waker, std::string_view name) {
    const holding lock(lock_);
    const bool there = core().barrier(name);
    if (!there) core().inbox.wait(waiting_for::barrier, waker); // before moved(), which may open it
    moved();
    return there ? poll_result::ready : poll_result::pending;
}

void endpoint::clock_offset(std::int32_t who, std::int64_t& offset_ns, std::uint64_t& bound_ns) {
    const holding lock(lock_);
    core().clock_offset(who, offset_ns, bound_ns);
}

chm_endpoint_stats endpoint::stats() noexcept {
    const holding lock(lock_);
    chm_endpoint_stats out = core().stats;
    add_stats(out);
    return out;
}

} // namespace chimera::group
