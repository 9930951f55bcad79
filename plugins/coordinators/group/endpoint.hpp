// An endpoint of the contract on top of a party: one lock, and wakes after it is released.
#pragma once

#include "group/party.hpp"

#include <chimera/sdk/coordinator.hpp>

#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>

namespace chimera::group {

/// What is shared by those who touch a party: its task, and the link that drives it.
struct party_lock {
    std::mutex mutex;
    wake_list woken; ///< guarded by mutex
};

/// Holds the lock; its destructor releases it, and then wakes.
class holding {
  public:
    explicit holding(party_lock& of) : of_(of), lock_(of.mutex) {}
    holding(const holding&) = delete;
    holding& operator=(const holding&) = delete;
    ~holding() {
        wake_list woken = std::move(of_.woken);
        of_.woken.clear();
        lock_.unlock();
        for (sdk::waker& w : woken) w.wake();
    }

  private:
    party_lock& of_;
    std::unique_lock<std::mutex> lock_;
};

/// Makes a party's functions those of the contract. Derived classes own the party and its link, and end both in
/// close().
class endpoint : public sdk::endpoint_base<endpoint> {
  public:
    sdk::poll_result poll_ready(chm_waker*);
    virtual std::string_view address() noexcept = 0;
    sdk::poll_result poll_send(chm_waker*, std::int32_t to, std::uint32_t channel, std::span<const chm_str> parts,
                               std::uint64_t& seq);
    sdk::poll_result poll_receive(chm_waker*, chm_message&);
    sdk::poll_result poll_event(chm_waker*, chm_group_event&);
    std::uint64_t propose(std::string_view action, std::string_view body);
    void vote(std::uint64_t proposal, bool yes);
    sdk::poll_result poll_decision(chm_waker*, std::uint64_t proposal, chm_decision&);
    sdk::poll_result poll_barrier(chm_waker*, std::string_view name);
    void clock_offset(std::int32_t who, std::int64_t& offset_ns, std::uint64_t& bound_ns);
    chm_endpoint_stats stats() noexcept;
    virtual void close() noexcept = 0;

    endpoint(const endpoint&) = delete;
    endpoint& operator=(const endpoint&) = delete;

  protected:
    /// The lock outlives the endpoint.
    explicit endpoint(party_lock& lock) noexcept : lock_(lock) {}
    ~endpoint() = default;

    /// [lock held] The party. Always the same.
    virtual party& core() noexcept = 0;
    /// [lock held] True: in the group. Throws sdk::error.
    virtual bool is_ready() = 0;
    /// [lock held] The party may have queued frames, or may have another expiry.
    virtual void moved() = 0;
    /// [lock held] The link's part of the figures.
    virtual void add_stats(chm_endpoint_stats&) const noexcept {}

  private:
    /// Nothing more can come, once what had arrived is read.
    sdk::poll_result end_of_stream(waiting_for, chm_waker*);

    party_lock& lock_;
    party::ended_proposal last_decision_;
};

} // namespace chimera::group
