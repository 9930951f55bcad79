// TLS and HTTP/2 between a scripted server and the wire. The script does not notice them.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chimera/sdk/owned_fd.hpp"

struct evp_pkey_st;
struct x509_st;
struct ssl_ctx_st;
struct nghttp2_session;

namespace chimera::conformance {

/// How a script ends its stream. Set before the script's end of the stream is closed; read after that was seen.
struct stream_end {
    std::atomic<bool> reset{false}; ///< by a reset of the connection instead of a proper close
};

/// A key and a certificate, made in memory.
struct tls_identity {
    std::shared_ptr<evp_pkey_st> key;
    std::shared_ptr<x509_st> certificate;

    /// Throws failure where OpenSSL does.
    static tls_identity made(const char* names);
};

/// Made by the process that forks the cases, so that it is removed whatever becomes of them.
class server_room {
  public:
    /// names: of the certificate. Throws std::system_error, or failure.
    explicit server_room(const char* names = "DNS:localhost,IP:127.0.0.1,IP:::1");
    server_room(const server_room&) = delete;
    server_room& operator=(const server_room&) = delete;
    ~server_room();

    const tls_identity& identity() const noexcept { return identity_; }
    /// A PEM file with the certificate.
    std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }
    /// A path in the folder.
    std::string file(const std::string& name) const { return folder_ / name; }
    /// [any-thread] Where a socket may be, on a path that no other server has.
    std::filesystem::path new_socket() const;

  private:
    std::filesystem::path folder_;
    tls_identity identity_;
};

/// The server's side of TLS. Any thread.
class tls_front {
  public:
    /// http2: "h2" is negotiated instead of "http/1.1", where the client offers it. Throws failure.
    tls_front(const tls_identity&, bool http2);

    /// Shakes hands on `outer`, a connected socket, then carries the plain bytes to and from `inner`, until either has
    /// ended. The end of `inner` becomes a proper end of TLS and of the connection, or a reset. Both stay the caller's,
    /// shut down, or, for a reset, to be closed at once.
    void carry(int outer, int inner, const stream_end&) const;

  private:
    std::shared_ptr<ssl_ctx_st> context_;
};

/// The server's side of one HTTP/2 connection, with prior knowledge. Each stream is given to `serve` as a connection of
/// its own: it gets the request as HTTP/1.1, and its HTTP/1.1 answer is sent as HEADERS and DATA, as it comes.
/// Where `serve` ends too early there is a RST_STREAM: of NO_ERROR for a close, of INTERNAL_ERROR for a reset.
class h2_front {
  public:
    /// [a thread for each stream] Serves one stream; the descriptor is its own, a connected socket.
    using server = std::function<void(int fd, stream_end&)>;

    /// fd: a connected socket, the caller's. max_streams: in its SETTINGS.
    h2_front(int fd, std::uint32_t max_streams, server serve);
    h2_front(const h2_front&) = delete;
    h2_front& operator=(const h2_front&) = delete;
    ~h2_front();

    /// [one thread] Until the connection has ended and `serve` has returned from every stream. Counts what the client
    /// sends: answers to pings, and RST_STREAM.
    void run(std::atomic<unsigned>& pings_answered, std::atomic<unsigned>& resets);

    /// [any-thread] Sends a PING.
    void ping() { ask(pings_asked_); }
    /// [any-thread] Sends a GOAWAY; the connection ends with its last stream.
    void go_away() { ask(goaways_asked_); }

  private:
    struct stream;
    struct callbacks;

    void ask(std::atomic<unsigned>& what);
    void obey();
    void open(std::int32_t id);
    void give_request(stream&);
    void take_response(stream&);
    void read_head(stream&);
    void read_body(stream&, const char* bytes, std::size_t size);
    void submit_head(stream&, const std::string& head, bool last, bool final);
    void ended_inside(stream&);
    void break_off(stream&);
    void forget(std::int32_t id);
    void join_finished(bool all);
    void wait();
    void say_goodbye();

    const int fd_;
    const server serve_;
    nghttp2_session* session_ = nullptr;
    sdk::owned_fd bell_; // rung by ask()
    bool over_ = false;
    std::map<std::int32_t, std::unique_ptr<stream>> streams_;
    struct running {
        std::shared_ptr<std::atomic<bool>> finished;
        std::jthread thread;
    };
    std::vector<running> threads_;
    std::atomic<unsigned> pings_asked_{0}, goaways_asked_{0};
    std::atomic<unsigned>*pings_answered_ = nullptr, *resets_ = nullptr;
};

} // namespace chimera::conformance
