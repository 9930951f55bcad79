// One QUIC connection between a member and the hub: ordered bytes both ways, without sockets, clocks or threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "quic/credentials.hpp"
#include "quic/options.hpp"

namespace chimera::quic {

class connection_owner;
struct connection_id;
struct initial_packet;

/// What a connection delivers. Called from inside read(), and on_closed() also from write() and expire(). May call
/// send(), consumed(), finish() and close() of the connection; must not destroy it.
class receiver {
  public:
    /// The next bytes of the stream, in order, each once. Valid during the call. They count against the receive window
    /// until consumed().
    virtual void on_bytes(std::span<const std::byte> bytes) noexcept = 0;
    /// The peer called finish(): no more bytes will come.
    virtual void on_end() noexcept {}
    /// The state is now closing or closed, and reason() says why. Called once. Nothing more is delivered.
    virtual void on_closed() noexcept {}

  protected:
    ~receiver() = default;
};

enum class connection_state {
    handshaking,
    /// A member is open when it has proved the hub; the hub may still refuse the member, which then learns it as a
    /// close. So a member has joined when the hub has answered on the stream, not before.
    open,
    closing, ///< over; late packets are still answered or ignored for some round trips
    closed,  ///< nothing more to write, to read or to expire
};

/// Why a connection is over.
struct close_reason {
    enum class cause {
        none,           ///< it is not over
        finished,       ///< our finish(): the peer has all bytes and their end
        closed_here,    ///< our close()
        closed_by_peer, ///< its close() or finish(); code and text are the peer's
        refused,        ///< the handshake: credentials, application protocol, or no room in the hub
        handshake_timeout,
        idle_timeout,
        protocol_error, ///< of the peer, or of the engine
    } what = cause::none;
    std::uint64_t code = 0; ///< of close(), ours or the peer's; 0 otherwise
    std::string text;       ///< for people; without keys
};

struct connection_statistics {
    std::uint64_t datagrams_in = 0, datagrams_out = 0, bytes_in = 0, bytes_out = 0;
    /// Packets with stream data that were taken for lost; their data was sent again.
    std::uint64_t lost_packets = 0;
    std::uint64_t smoothed_rtt = 0, least_rtt = 0; ///< ns
    std::uint64_t congestion_window = 0, bytes_in_flight = 0;
};

/// Datagrams of one write(): all of `segment` bytes but the last, which may be shorter, as UDP_SEGMENT takes them.
struct written_datagrams {
    std::size_t bytes = 0; ///< 0: nothing to send now
    std::size_t segment = 0;
    [[nodiscard]] std::size_t count() const { return segment == 0 ? 0 : (bytes + segment - 1) / segment; }
};

/// Of one thread. Times are nanoseconds of any clock that does not go back.
///
/// A turn of its driver: read() every datagram that is there, expire() if expiry() is reached, then write() until it
/// has nothing more. Acknowledgements leave with write(), so one write after a batch of reads sends one.
class connection {
  public:
    /// A member's connection to the hub; write() has its first datagram. Throws std::invalid_argument for the options,
    /// std::runtime_error if TLS or QUIC cannot begin.
    static std::unique_ptr<connection> connect(std::shared_ptr<const credentials> who,
                                               const connection_options& options, random_source random,
                                               std::uint64_t now);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// Before the first bytes may arrive: after connect(), or in the acceptor. It outlives the connection or is
    /// replaced.
    void set_receiver(receiver* r);

    /// Any bytes: what is not of this connection is ignored.
    void read(std::uint64_t now, std::span<const std::byte> datagram);
    /// out: at least max_udp_payload bytes; a multiple of it to get several datagrams.
    written_datagrams write(std::uint64_t now, std::span<std::byte> out);
    /// When expire() is to be called; UINT64_MAX: never. Changes with every call of the others. May be in the past.
    [[nodiscard]] std::uint64_t expiry() const;
    /// Times out what is due. write() follows.
    void expire(std::uint64_t now);
    /// write() may have something, because of a call since the last write() that had nothing.
    [[nodiscard]] bool wants_write() const;

    /// Queues a copy, of any size: look at unsent() for back-pressure. Also before the handshake is complete. After
    /// finish(), or when the connection is over, the bytes are dropped and false is returned. Throws std::bad_alloc.
    bool send(std::span<const std::byte> bytes);
    /// Bytes that wait for a window or for the handshake.
    [[nodiscard]] std::size_t unsent() const;
    /// Bytes that were sent and are kept until the peer has acknowledged them.
    [[nodiscard]] std::size_t unacknowledged() const;
    /// The receiver is done with so many bytes: the peer may send as many more. In on_bytes() or later.
    void consumed(std::size_t bytes);

    /// Sends what is queued, then the end of the stream; closes with code 0 when the peer has acknowledged all of it.
    /// What the peer still sends until then is delivered.
    void finish();
    /// Drops what is queued and closes; the next write() tells the peer. reason: printable, the first 256 bytes are
    /// sent.
    void close(std::uint64_t code, std::string reason);

    [[nodiscard]] connection_state state() const;
    [[nodiscard]] const close_reason& reason() const;
    /// [after the handshake] Who the peer is, as its credentials say. The hub of a key is "hub".
    [[nodiscard]] const std::string& peer_name() const;
    [[nodiscard]] connection_statistics statistics() const;

  private:
    friend class listener;
    struct parts;

    /// The hub's side. original: as of protocol::server(). Throws as connect().
    static std::unique_ptr<connection> accept(connection_owner& hub, std::shared_ptr<const credentials> who,
                                              const connection_options& options, random_source random,
                                              const initial_packet& first, const std::optional<connection_id>& original,
                                              std::uint64_t now);
    explicit connection(std::unique_ptr<parts> its);
    std::unique_ptr<parts> parts_;
};

} // namespace chimera::quic
