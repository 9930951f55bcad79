// An endpoint: the hub or a member of a group.
#pragma once

#include "room.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/coordinator.hpp>
#include <chimera/sdk/reactor.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace my_coordinator {

using sdk::poll_result;

class endpoint final : public sdk::endpoint_base<endpoint> {
  public:
    endpoint(std::shared_ptr<room> in, membership m, chm_reactor* reactor);

    // --- joining ---

    poll_result poll_ready(chm_waker* w);
    std::string_view address() noexcept { return {}; }
    void close() noexcept;

    // --- messages ---

    poll_result poll_send(chm_waker* w, std::int32_t to, std::uint32_t channel, std::span<const chm_str> parts,
                          std::uint64_t& seq);
    poll_result poll_receive(chm_waker* w, chm_message& out);
    poll_result poll_event(chm_waker* w, chm_group_event& out);

    // --- decisions ---

    std::uint64_t propose(std::string_view action, std::string_view body);
    void vote(std::uint64_t number, bool yes);
    poll_result poll_decision(chm_waker* w, std::uint64_t number, chm_decision& out);

    // --- the rest ---

    poll_result poll_barrier(chm_waker* w, std::string_view name);
    void clock_offset(std::int32_t who, std::int64_t& offset_ns, std::uint64_t& bound_ns);
    chm_endpoint_stats stats() noexcept { return stats_; }

  private:
    enum kind { ready, room_for_one, received, heard, decided, met, kinds };
    static constexpr std::size_t most_proposals = 2048, most_events = 1024;

    // All of these with the lock held.
    endpoint* find(std::int32_t who) const {
        const auto found = room_->endpoints.find(who);
        return found == room_->endpoints.end() ? nullptr : found->second;
    }
    poll_result wait(kind what, chm_waker* w) { return wakers_[what].become(w), poll_result::pending; }
    void wake(kind what) {
        if (wakers_[what]) room_->woken.push_back(std::exchange(wakers_[what], {}));
    }
    void add_event(event e) {
        if (events_.size() == most_events) events_.pop_front();
        events_.push_back(std::move(e));
        wake(heard);
    }
    void must_be_open() const {
        if (ended_) throw sdk::error(CHM_E_CLOSED, "the hub has closed the group");
    }
    poll_result nothing_left(kind what, chm_waker* w) { return ended_ ? poll_result::end : wait(what, w); }
    proposal& known(std::uint64_t number);
    void end(proposal& p, std::uint32_t outcome);
    void forget_one_that_has_ended() {
        for (auto p = room_->proposals.begin(); p != room_->proposals.end(); ++p)
            if (known(p->first).outcome != 0) return static_cast<void>(room_->proposals.erase(p));
        throw sdk::error(CHM_E_LIMIT, "too many proposals are open");
    }
    /// Opens those at which all members of the group wait.
    void open_barriers();

    const std::shared_ptr<room> room_;
    const membership group_;
    const std::uint64_t gives_up_ns_ = sdk::now_ns() + 10'000'000'000;
    // Guarded by the room's lock, as others touch them.
    bool in_ = false, ended_ = false;
    sdk::waker wakers_[kinds];
    std::deque<message> messages_;
    std::deque<event> events_;
    std::map<std::int32_t, std::uint32_t> waiting_from_; // by sender: its messages that wait here
    // The task's own.
    sdk::timer joining_, deciding_;
    std::map<std::pair<std::int32_t, std::uint32_t>, std::uint64_t> sent_; // by receiver and channel
    std::string barrier_;
    message read_{};
    event told_{};
    proposal shown_{};
    chm_endpoint_stats stats_{};
};

} // namespace my_coordinator
