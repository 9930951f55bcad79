// A server that is told frame by frame what to say: for what no real one does on demand.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/scripted_server/scripted_server.hpp"

namespace chimera::h2::test {

enum frame_type : std::uint8_t {
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PING = 6,
    GOAWAY = 7,
    WINDOW_UPDATE = 8
};
enum frame_flag : std::uint8_t { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };
enum error_code : std::uint32_t { NO_ERROR = 0, INTERNAL_ERROR = 2, REFUSED_STREAM = 7, CANCEL = 8 };

struct frame {
    std::uint8_t type = 0xFF; ///< 0xFF: the client has closed
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    std::string payload;
    bool closed() const noexcept { return type == 0xFF; }
    /// The number that a RST_STREAM or a WINDOW_UPDATE consists of.
    std::uint32_t number() const noexcept;
};

/// A frame as bytes.
std::string framed(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
/// HEADERS with ":status: 200" and nothing else.
std::string ok_head(std::uint32_t stream, bool last = false);
std::string data(std::uint32_t stream, std::string_view bytes, bool last = false);
std::string big_endian(std::uint32_t number);

/// The server's end of one connection, in frames.
class peer {
  public:
    explicit peer(conformance::peer& wire) noexcept : wire_(wire) {}
    /// Reads the preface and sends SETTINGS: pairs of identifier and value.
    void greet(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings = {});
    /// The next frame. SETTINGS are acknowledged.
    frame next();
    /// The next frame of this type; others are passed over. Closed: the client has.
    frame next(std::uint8_t type);
    /// The stream of the next request, whose body is passed over; 0: the client has closed.
    std::uint32_t request();
    /// How many bytes of requests' bodies came so far.
    std::size_t body_bytes() const noexcept { return body_bytes_; }
    void send(std::string_view bytes) { wire_.send(bytes); }
    /// The whole response.
    void answer(std::uint32_t stream, std::string_view body) { send(ok_head(stream) + data(stream, body, true)); }
    void reset(std::uint32_t stream, std::uint32_t code) { send(framed(RST_STREAM, 0, stream, big_endian(code))); }
    void go_away(std::uint32_t last, std::uint32_t code, std::string_view text = {}) {
        send(framed(GOAWAY, 0, 0, big_endian(last) + big_endian(code) + std::string(text)));
    }
    /// Until the client closes.
    void wait_for_close() {
        while (!next().closed()) {
        }
    }
    /// Serves every request with this body, until the client closes.
    void serve(std::string_view body) {
        while (const std::uint32_t id = request()) answer(id, body);
    }
    int fd() const noexcept { return wire_.fd(); }

  private:
    conformance::peer& wire_;
    std::size_t body_bytes_ = 0;
};

/// Runs script(peer, number of the connection) for each connection, on a thread of its own.
class frame_server : public conformance::scripted_server {
  public:
    using script = std::function<void(peer&, int)>;
    explicit frame_server(script per_connection)
        : scripted_server([run = std::move(per_connection)](conformance::peer& wire) {
              peer p(wire);
              run(p, static_cast<int>(wire.number()));
              ::shutdown(wire.fd(), SHUT_WR);
              wire.wait_for_close(); // closed with something unread, the connection would be reset
          }) {}
    int connections() const noexcept { return static_cast<int>(scripted_server::connections()); }
};

/// Port on the loopback that is free at the moment.
inline std::uint16_t free_port() {
    return static_cast<std::uint16_t>(conformance::scripted_server({}, {.listens = false}).port());
}

} // namespace chimera::h2::test
