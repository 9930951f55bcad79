// A member's stack: one connection to the hub.
#pragma once

#include "group/member.hpp"
#include "quic/station.hpp"

namespace chimera::quic {

class member_station final : public station {
  public:
    member_station(const chm_endpoint_args&, const station_options&, group::membership);

    group::party& core() noexcept override { return member_; }
    void close(std::uint64_t now) override;
    void begin(std::uint64_t now, const address& hub) override;
    void read(std::uint64_t now, const address& from, std::span<const std::byte>) override;
    void write(std::uint64_t now, datagram_sink&) override;
    std::uint64_t expiry() const override;
    void expire(std::uint64_t now) override;
    void on_refused() override;
    bool is_over(std::uint64_t now) const override;

  private:
    void send(std::int32_t to, const frames::frame&) override;
    bool is_in() const override { return member_.is_in(); }
    std::uint64_t lost_packets() const noexcept override;
    void take(const frames::frame&);
    /// False: no room.
    bool drain(std::uint64_t now, datagram_sink&);
    /// The connection may have ended: says so to the task.
    void look();

    std::shared_ptr<const credentials> who_;
    group::member member_;
    frame_link link_;
    std::unique_ptr<connection> connection_;
    address hub_;
    std::vector<std::byte> buffer_;
    std::uint64_t now_ = 0; ///< of the turn
    std::uint64_t joins_until_ = UINT64_MAX;
    bool finished_ = false;
};

} // namespace chimera::quic
