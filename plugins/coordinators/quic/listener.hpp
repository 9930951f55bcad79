// The hub's end: tells the connections of its socket apart, and lets new ones in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "quic/connection.hpp"
#include "quic/protocol.hpp"

namespace chimera::quic {

/// Where datagrams come from and go to: bytes that mean nothing here and are compared as they are, such as a
/// sockaddr_in or sockaddr_in6.
struct address {
    std::array<std::byte, 28> bytes{};
    std::uint8_t size = 0;
    [[nodiscard]] std::span<const std::byte> span() const { return {bytes.data(), size}; }
    bool operator==(const address&) const = default;
};

/// Times are nanoseconds.
struct listener_options {
    connection_options connection;
    std::size_t max_connections = 1024; ///< with those that are closing; further ones are refused
    std::size_t max_handshakes = 64;    ///< in progress; further first packets are dropped, and clients send them again
    /// With so many handshakes in progress, a client must first show that it receives what is sent to its address
    /// (QUIC's Retry, one round trip more). 0: always.
    std::size_t retry_from = 16;
    std::uint64_t retry_token_lifetime = 10'000'000'000;

    /// Throws std::invalid_argument.
    void check() const;
};

/// Datagrams that were dropped have one of the reasons below `dropped`.
struct listener_statistics {
    std::uint64_t datagrams_in = 0, bytes_in = 0, datagrams_out = 0, bytes_out = 0;
    std::uint64_t accepted = 0;         ///< handshakes completed
    std::uint64_t refused = 0;          ///< handshakes that failed: credentials, protocol errors, timeouts
    std::uint64_t refused_for_room = 0; ///< answered with CONNECTION_REFUSED
    std::uint64_t retries = 0, version_negotiations = 0;
    std::uint64_t dropped = 0;
    std::uint64_t malformed = 0;       ///< no QUIC packet
    std::uint64_t unknown = 0;         ///< of no connection, and begins none
    std::uint64_t wrong_address = 0;   ///< of a connection, from another address: connections do not move
    std::uint64_t bad_token = 0;       ///< not ours, too old, or of another address
    std::uint64_t over_handshakes = 0; ///< max_handshakes were in progress
    std::uint64_t unanswered = 0;      ///< too many answers to strangers were waiting already
};

/// Called from inside the listener's calls; must not call the listener, may call the connection's send(), consumed(),
/// finish() and close().
class acceptor {
  public:
    /// The peer is authenticated: connection.peer_name(). Returns who gets its bytes; it outlives the connection or the
    /// listener. nullptr: the connection is closed; call close() first to say why.
    virtual receiver* on_connection(connection& c, const address& from) noexcept = 0;
    /// A handshake failed, for a log.
    virtual void on_refused(const address& from, const close_reason& why) noexcept;
    /// A connection that was handed over is destroyed after this call.
    virtual void on_removed(connection& c) noexcept = 0;

  protected:
    ~acceptor() = default;
};

class datagram_sink {
  public:
    /// Takes datagrams of `segment` bytes each, the last one may be shorter. Returns whether it wants more in this
    /// turn.
    virtual bool send(const address& to, std::span<const std::byte> datagrams, std::size_t segment) = 0;

  protected:
    ~datagram_sink() = default;
};

/// Of one thread; owns its connections. A turn of its driver: read() every datagram that is there, expire(), write().
class listener {
  public:
    /// most_segments: of one call of the sink. who is a hub's. Throws std::invalid_argument.
    listener(std::shared_ptr<const credentials> who, const listener_options& options, random_source random,
             acceptor& accepts, std::size_t most_segments = 1);
    /// Connections are destroyed without a word, and on_removed() is not called.
    ~listener();
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    void read(std::uint64_t now, const address& from, std::span<const std::byte> datagram);
    /// Everything there is to send, of all connections that want it, until the sink wants no more.
    void write(std::uint64_t now, datagram_sink& to);
    [[nodiscard]] std::uint64_t expiry() const; ///< UINT64_MAX: never
    void expire(std::uint64_t now);
    [[nodiscard]] bool wants_write() const;

    /// Closes every connection; write() tells the peers.
    void close(std::uint64_t code, const std::string& reason);
    /// All connections, with those that shake hands or close.
    [[nodiscard]] std::size_t connections() const { return entries_.size(); }
    [[nodiscard]] std::size_t handshakes() const { return handshakes_; }
    [[nodiscard]] const listener_statistics& statistics() const { return counted_; }

  private:
    class entry;
    struct answer {
        address to;
        std::vector<std::byte> bytes;
    };

    void read_stranger(std::uint64_t now, const address& from, const envelope& outside,
                       std::span<const std::byte> datagram);
    void begin(std::uint64_t now, const address& from, const initial_packet& first,
               const std::optional<connection_id>& original, std::span<const std::byte> datagram);
    void drop(std::uint64_t& reason);
    template <class Write>
    void answer_stranger(const address& to, std::uint64_t& counter, Write&& write);
    void settle(entry& e);
    void sweep();
    connection_id new_id();

    std::shared_ptr<const credentials> who_;
    listener_options options_;
    random_source random_;
    acceptor& acceptor_;
    secret retry_key_;
    std::list<std::unique_ptr<entry>> entries_;
    std::unordered_map<connection_id, entry*, connection_id_hash> routes_;
    std::vector<answer> answers_;
    std::vector<std::byte> buffer_;
    std::size_t handshakes_ = 0;
    listener_statistics counted_;
};

} // namespace chimera::quic
