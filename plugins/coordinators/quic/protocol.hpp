// [internal] QUIC as ngtcp2 does it. protocol.cpp is the only source that includes ngtcp2's headers, because version 1
// renames most of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "quic/credentials.hpp"
#include "quic/options.hpp"

namespace chimera::quic {

/// Of the ids that we choose. Short headers do not say how long theirs is, so it is fixed.
inline constexpr std::size_t own_id_size = 8;

/// At most 20 bytes; bytes beyond size are 0, so that ids compare by value.
struct connection_id {
    std::array<std::byte, 20> bytes{};
    std::uint8_t size = 0;

    connection_id() = default;
    explicit connection_id(std::span<const std::byte> id);
    [[nodiscard]] std::span<const std::byte> span() const { return {bytes.data(), size}; }
    bool operator==(const connection_id&) const = default;
};

struct connection_id_hash {
    std::size_t operator()(const connection_id& id) const noexcept {
        return std::hash<std::string_view>()({reinterpret_cast<const char*>(id.bytes.data()), id.size});
    }
};

/// The first packet of a member, as the listener sees it.
struct initial_packet {
    std::uint32_t version = 0;
    connection_id destination; ///< chosen by the client, or by our Retry
    connection_id source;
    std::span<const std::byte> token; ///< into the datagram
};

/// What a connection's ngtcp2 reports, from inside read(), write() and expire(). None may call the protocol's functions
/// but consumed(), nor destroy it.
class protocol_events {
  public:
    virtual void on_handshake_complete() noexcept = 0;
    virtual void on_stream_bytes(std::span<const std::byte> bytes) noexcept = 0;
    virtual void on_stream_end() noexcept = 0;                     ///< no more bytes will come
    virtual void on_stream_reset(std::uint64_t code) noexcept = 0; ///< the peer broke the stream off
    virtual void on_acknowledged(std::size_t bytes) noexcept = 0;  ///< so many more from the front
    virtual void on_end_acknowledged() noexcept = 0;               ///< our end of the stream has arrived
    virtual bool on_own_id(const connection_id& id) noexcept = 0;  ///< another id for datagrams to us; false: no memory
    virtual void on_own_id_retired(const connection_id& id) noexcept = 0;

  protected:
    ~protocol_events() = default;
};

/// One QUIC connection with one bidirectional stream, which the client opens.
class protocol {
  public:
    enum class step {
        ok,
        drained, ///< the peer closed: peer_close() says why; nothing may be sent
        dropped, ///< [server] no connection came of it; nothing may be sent
        idle,    ///< idle timeout; nothing is to be sent
        handshake_timeout,
        wrong_version, ///< [client] the server does not speak QUIC version 1
        refused,       ///< TLS failed here; alert()
        failed,        ///< the protocol was broken; error_text()
    };
    struct close_seen {
        std::uint64_t code = 0;
        bool application = false; ///< the code is the application's, otherwise QUIC's (0x100 + alert: TLS)
        std::string reason;       ///< printable
    };
    struct statistics {
        std::uint64_t smoothed_rtt = 0, least_rtt = 0; ///< ns
        std::uint64_t congestion_window = 0, bytes_in_flight = 0;
        std::uint64_t lost_packets = 0; ///< packets with stream data that were taken for lost, and sent again
    };

    /// events outlives it. Throws std::runtime_error.
    static std::unique_ptr<protocol> client(const connection_options& options, std::shared_ptr<const credentials> who,
                                            random_source random, protocol_events& events, std::uint64_t now);
    /// original: the client's first destination id, if first came after a Retry. Throws std::runtime_error.
    static std::unique_ptr<protocol> server(const connection_options& options, std::shared_ptr<const credentials> who,
                                            random_source random, protocol_events& events, const initial_packet& first,
                                            const std::optional<connection_id>& original, std::uint64_t now);
    ~protocol();
    protocol(const protocol&) = delete;
    protocol& operator=(const protocol&) = delete;

    step read(std::uint64_t now, std::span<const std::byte> datagram);
    struct written {
        step result = step::ok;
        std::size_t size = 0;  ///< of the datagram; 0: nothing to send now
        std::size_t taken = 0; ///< stream bytes in it: they must stay where they are until acknowledged
        bool end = false;      ///< the end of the stream is in it
    };
    /// One datagram with as much of data (at most 16 pieces) as fits. end: all of the stream's data is acknowledged,
    /// and the end of the stream is sent, once.
    written write(std::uint64_t now, std::span<std::byte> out, std::span<const std::span<const std::byte>> data,
                  bool end);
    /// [pacing] After the datagrams of one turn.
    void end_of_turn(std::uint64_t now);
    /// The packet that closes; 0: none may be sent. Afterwards only peer_close() and statistics() are used.
    std::size_t write_close(std::uint64_t now, std::span<std::byte> out, const close_seen& why);
    /// As write_close(), with what the last failed step asks for.
    std::size_t write_failure(std::uint64_t now, std::span<std::byte> out, step why);

    [[nodiscard]] std::uint64_t expiry() const; ///< UINT64_MAX: none
    step expire(std::uint64_t now);
    /// So many more received bytes were taken: the peer may send as many more.
    void consumed(std::size_t bytes);

    /// Of the datagrams that write() makes now, other than probes.
    [[nodiscard]] std::size_t datagram_size() const;
    /// How long a closed connection's late packets may still be under way, ns.
    [[nodiscard]] std::uint64_t closing_period() const;
    [[nodiscard]] close_seen peer_close() const;
    [[nodiscard]] unsigned alert() const;
    [[nodiscard]] std::string error_text() const;
    [[nodiscard]] statistics stats() const;
    [[nodiscard]] tls_session& tls();
    [[nodiscard]] bool has_stream() const;

  private:
    struct state;
    explicit protocol(std::unique_ptr<state> its);
    std::unique_ptr<state> state_;
};

/// What the listener reads of a datagram before it knows the connection.
struct envelope {
    enum class kind { short_header, long_header, unknown_version, malformed } what = kind::malformed;
    std::uint32_t version = 0;
    std::span<const std::byte> destination, source; ///< into the datagram; up to 255 bytes of unknown versions
};
envelope open_envelope(std::span<const std::byte> datagram);

/// Nothing: this datagram begins no connection.
std::optional<initial_packet> read_initial(std::span<const std::byte> datagram);

/// Stateless answers. The size written; 0: it could not be made.
std::size_t write_version_negotiation(std::span<std::byte> out, const envelope& to, std::byte random);
/// to: the bytes of the address the token is good for. new_id: what the client is to use as destination next.
std::size_t write_retry(std::span<std::byte> out, const initial_packet& to, std::span<const std::byte> address,
                        std::span<const std::byte> key, const connection_id& new_id, std::uint64_t now);
/// The client's first destination id, if the token is ours, for this address, and at most lifetime ns old.
std::optional<connection_id> verify_retry_token(const initial_packet& packet, std::span<const std::byte> address,
                                                std::span<const std::byte> key, std::uint64_t lifetime,
                                                std::uint64_t now);
/// A CONNECTION_CLOSE with the code CONNECTION_REFUSED.
std::size_t write_refusal(std::span<std::byte> out, const initial_packet& to, std::string_view reason);

} // namespace chimera::quic
