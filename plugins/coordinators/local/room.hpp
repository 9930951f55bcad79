// A group within one process: its hub, its members, and the frames between them.
#pragma once

#include "group/endpoint.hpp"
#include "group/hub.hpp"
#include "group/member.hpp"

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace chimera::local {

class local_endpoint;

/// The endpoints of one group. A frame is handed over by a function call: nothing is encoded, and messages are copied
/// once. One lock for all. Lives as long as its endpoints.
class room {
  public:
    room() = default;
    ~room();
    room(const room&) = delete;
    room& operator=(const room&) = delete;

    group::party_lock& lock() noexcept { return lock_; }

    // [lock held]

    /// False: this place is taken.
    bool enter(local_endpoint&);
    void leave(local_endpoint&);
    /// Lets a member in if the hub is there. Throws sdk::error (CHM_E_PROTO) if the hub refuses it.
    bool let_in(local_endpoint& member, std::uint64_t now);
    /// The frame of one endpoint for another.
    void hand_over(std::int32_t from, std::int32_t to, const frames::frame&);
    /// Delivers what is queued, and sees to the time limits.
    void settle();

  private:
    /// A frame with the memory that its views show.
    struct queued {
        std::int32_t from, to;
        frames::frame frame;
        std::string memory;
    };
    local_endpoint* at(std::int32_t who) const noexcept;
    void give(std::int32_t from, std::int32_t to, const frames::frame&);
    void keep_time();

    group::party_lock lock_;
    local_endpoint* hub_ = nullptr;
    std::vector<local_endpoint*> places_; // by member; null: not there
    std::list<queued> queue_;
    bool delivering_ = false;
    // The thread that ends what is over time. It starts with the first endpoint.
    std::condition_variable earlier_;
    std::uint64_t sleeps_until_ = UINT64_MAX;
    bool closing_ = false;
    std::thread clock_;
};

class local_endpoint final : public group::endpoint, public group::outbox {
  public:
    /// Throws sdk::error (CHM_E_STATE) if its place is taken.
    local_endpoint(std::shared_ptr<room>, group::membership);
    std::string_view address() noexcept override { return {}; }
    void close() noexcept override;

    group::party& core() noexcept override { return *party_; }
    std::int32_t number() const noexcept { return party_->who().self; }
    group::hub& as_hub() noexcept { return static_cast<group::hub&>(*party_); }
    group::member& as_member() noexcept { return static_cast<group::member&>(*party_); }
    std::size_t group_size() const noexcept { return party_->who().members.size(); }
    /// The hub is there and lets it in, or does not come within the time limit.
    std::uint64_t gives_up_at = UINT64_MAX;

  private:
    ~local_endpoint() = default;
    bool is_ready() override;
    void moved() override { room_->settle(); }
    void send(std::int32_t to, const frames::frame& f) override { room_->hand_over(number(), to, f); }

    std::shared_ptr<room> room_;
    std::unique_ptr<group::party> party_;
};

} // namespace chimera::local
