// HTTP/2 before a server that speaks HTTP/1.1: one connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chimera/sdk/owned_fd.hpp"
#include "stream_end.hpp"

struct nghttp2_session;

namespace chimera::conformance {

/// The server's side of one HTTP/2 connection, with prior knowledge. Each stream is given to `serve` as a connection of
/// its own: the request as HTTP/1.1, and whatever answers it as HTTP/1.1 is sent as HEADERS and DATA, as it comes.
/// Where `serve` ends too early there is a RST_STREAM: of NO_ERROR for a close, of INTERNAL_ERROR for a reset.
class h2_front {
  public:
    /// [a thread for each stream] Serves one stream; the descriptor is its own, a connected socket.
    using server = std::function<void(int fd, stream_end&)>;

    /// fd: a connected socket, the caller's. max_streams: what its SETTINGS say.
    h2_front(int fd, std::uint32_t max_streams, server serve);
    h2_front(const h2_front&) = delete;
    h2_front& operator=(const h2_front&) = delete;
    ~h2_front();

    /// [one thread] Until the connection has ended and `serve` has returned from every stream. Counts what the client
    /// sends: answers to pings, and RST_STREAM.
    void run(std::atomic<unsigned>& pings_answered, std::atomic<unsigned>& resets);

    /// [any thread] Sends a PING.
    void ping() { ask(pings_asked_); }
    /// [any thread] Sends a GOAWAY; the connection ends with its last stream.
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
