// The hub's stack: a listener, and one link for each connection.
#pragma once

#include "group/hub.hpp"
#include "quic/station.hpp"

#include <list>
#include <vector>

namespace chimera::quic {

class hub_station final : public station, private acceptor {
  public:
    hub_station(const chm_endpoint_args&, const station_options&, group::membership);

    group::party& core() noexcept override { return hub_; }
    void begin(std::uint64_t now, const address& own) override;
    void read(std::uint64_t now, const address& from, std::span<const std::byte>) override;
    void write(std::uint64_t now, datagram_sink&) override;
    std::uint64_t expiry() const override;
    void expire(std::uint64_t now) override;
    bool is_over(std::uint64_t now) const override;

  private:
    /// A connection: of nobody until its hello was taken.
    struct guest {
        guest(hub_station& of, connection& c);
        connection& over;
        frame_link link;
        std::int32_t member = CHM_TO_HUB;
        bool has_left = false;
    };
    receiver* on_connection(connection&, const address& from) noexcept override;
    void on_removed(connection&) noexcept override;
    void send(std::int32_t to, const frames::frame&) override;
    bool is_in() const override { return !hub_address_.empty(); }
    std::uint64_t lost_packets() const noexcept override;
    void take(guest&, const frames::frame&);
    void let_in(guest&, const frames::frame& hello);
    /// The member of this connection is gone, unless it is here again.
    void say_gone(guest&);
    /// Members whose connections have ended are gone.
    void look();

    std::shared_ptr<const credentials> who_;
    group::hub hub_;
    listener listener_;
    std::list<guest> guests_;
    std::vector<guest*> places_; ///< by member
    std::uint64_t now_ = 0, lost_of_the_gone_ = 0;
    bool finished_ = false;
};

} // namespace chimera::quic
