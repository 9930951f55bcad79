// One endpoint's stack: party, frames and connections, without sockets, threads or a clock, as its driver and its task
// see it. The driver is that of the executor, or a simulation.
#pragma once

#include "group/endpoint.hpp"
#include "quic/frame_link.hpp"
#include "quic/listener.hpp"
#include "quic/udp_socket.hpp"

#include <chimera/sdk/waker.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::quic {

/// The options of the plugin, for all endpoints of a coordinator.
struct station_options {
    link_options link;
    listener_options listen; ///< with the options of each connection
    impairment link_quality;
    bool wait_for_all_votes = false;
    std::uint64_t connect_ns = 10'000'000'000;         ///< from the first poll until the hub has answered
    bool certificates = false;                         ///< in place of keys
    random_source random = system_random;              ///< of connection ids, numbers and signing keys
    std::string certificate, private_key, authorities; ///< files; %n is the endpoint's name
};

/// Everything is guarded by `lock`, which the driver holds for a turn and the task for a call.
class station : protected group::outbox {
  public:
    virtual ~station() = default;
    station(const station&) = delete;
    station& operator=(const station&) = delete;

    group::party_lock lock;

    // The task's.

    virtual group::party& core() noexcept = 0;
    /// In the group. Throws sdk::error: it will not be.
    bool is_ready();
    std::string_view hub_address() const noexcept { return hub_address_; }
    /// Wakes the driver, unless it is awake.
    void wake_driver();
    void add_stats(chm_endpoint_stats&) const noexcept;
    /// The task is done with the endpoint: what was taken is still sent.
    virtual void close(std::uint64_t now);

    // The driver's.

    bool is_hub() noexcept { return core().who().is_hub(); }
    /// The hub's address, as host:port: the hub binds it, a member connects to it.
    const std::string& where() const noexcept { return address_; }
    const impairment& link_quality() const noexcept { return options_.link_quality; }
    /// The socket is there. at: the hub's address, with its port.
    virtual void begin(std::uint64_t now, const address& at) = 0;
    virtual void read(std::uint64_t now, const address& from, std::span<const std::byte>) = 0;
    /// Sends what waits, until `to` has no room.
    virtual void write(std::uint64_t now, datagram_sink& to) = 0;
    virtual std::uint64_t expiry() const = 0;
    virtual void expire(std::uint64_t now) = 0;
    /// The hub's machine says that nobody listens there.
    virtual void on_refused() {}
    /// The driver has nothing more to do.
    virtual bool is_over(std::uint64_t now) const = 0;
    /// The driver cannot go on: resolving, opening or receiving failed.
    void fail(chm_rc, std::string why);

    /// Set by the driver in each of its polls.
    sdk::waker driver;
    bool driver_woken = false;
    bool begun = false; ///< the driver was spawned
    bool closing = false;
    std::uint64_t driver_ns = 0, network_ns = 0;
    std::uint64_t writes = 0, bytes = 0; ///< of the driver's socket

  protected:
    station(const chm_endpoint_args&, const station_options&);
    virtual bool is_in() const = 0;
    virtual std::uint64_t lost_packets() const noexcept = 0;

    const station_options options_;
    const std::string address_;
    std::string hub_address_;
    std::optional<sdk::error> failure_;
    std::uint64_t gives_up_at_ = UINT64_MAX; ///< closing: sending what was taken
};

/// What the endpoint proves itself with. Throws sdk::error, which names the member or the file, and never a key.
std::shared_ptr<const credentials> credentials_for(const chm_endpoint_args&, const station_options&,
                                                   const group::membership&);

/// Throws sdk::error for a fault of the arguments or the options.
std::shared_ptr<station> make_station(const chm_endpoint_args&, const station_options&);

} // namespace chimera::quic
