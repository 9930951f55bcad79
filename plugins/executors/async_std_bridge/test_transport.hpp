// A transport for the bridge's tests: one byte is one chunk, and the test is the server.
//
// On a connection, 'H' is the head, '.' the end of the body, '!' a breach of the protocol; every other byte is a chunk.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "../testing/socket_pair.hpp"
#include "chimera/abi/timing.h"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/reactor.hpp"

namespace chimera::async_std_bridge_test {

class byte_transport final : public sdk::transport_base<byte_transport> {
  public:
    byte_transport() = default;
    byte_transport(const byte_transport&) = delete;
    byte_transport& operator=(const byte_transport&) = delete;
    ~byte_transport() { CHECK(open_objects == 0); }

    /// The server's end of the connection of sessions with this URL.
    int server(const std::string& url) { return connection(url).b.get(); }
    void send(const std::string& url, const std::string& bytes) {
        CHECK(::send(server(url), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    }

    std::atomic<int> open_objects{0};                         // sessions and exchanges
    std::atomic<std::uint64_t> received{0};                   // chunks of all exchanges
    std::atomic<int> cancelled{0};                            // exchanges closed before their end
    bool knows_readable = true;                               // set before the first exchange
    std::atomic<int> polled_elsewhere{0};                     // exchanges, on no worker of their session's executor
    std::function<void(const chm_session_args&)> when_opened; // set before the first session
    std::set<std::thread::id> threads() const {               // on which anything of it was used
        std::lock_guard lock(mutex_);
        return threads_;
    }

    chm_session* open(const chm_session_args& args) {
        note_thread();
        if (sdk::view(args.base_url) == "bad://url") throw sdk::error(CHM_E_INVAL, "cannot parse bad://url");
        if (when_opened) when_opened(args);
        return new session(*this, args, std::string(sdk::view(args.base_url)));
    }
    const void* extension(std::string_view id) const noexcept {
        static constexpr chm_timing_ext timing{sizeof(chm_timing_ext), 0,
                                               [](const chm_exchange* x, chm_exchange_timing* out) noexcept {
                                                   static_cast<const exchange*>(x)->read_timing(*out);
                                               }};
        return id == CHM_EXT_TIMING ? &timing : nullptr;
    }

  private:
    class session;

    class exchange final : public sdk::exchange_base<exchange> {
      public:
        explicit exchange(session& s) : session_(s), io_(s.reactor, s.fd) { ++s.transport.open_objects; }
        exchange(const exchange&) = delete;
        exchange& operator=(const exchange&) = delete;
        ~exchange() {
            session_.transport.note_thread();
            --session_.transport.open_objects;
            if (!over_) ++session_.transport.cancelled;
        }
        void close() noexcept { delete this; }
        sdk::poll_result poll_head(chm_waker* waker, chm_head& head) {
            char byte = 0;
            if (!read(waker, byte)) return sdk::poll_result::pending;
            static constexpr chm_kv header{{"x-test", 6}, {"yes", 3}};
            head.status = 200;
            head.headers = &header;
            head.n_headers = 1;
            return byte == 'H' ? sdk::poll_result::ready
                               : throw sdk::error(CHM_E_PROTO, "no head from " + session_.url);
        }
        sdk::poll_result poll_chunk(chm_waker* waker, chm_str& view) {
            if (!read(waker, byte_)) return sdk::poll_result::pending;
            over_ = byte_ == '.' || byte_ == '!';
            if (byte_ == '!') throw sdk::error(CHM_E_PROTO, "garbage from " + session_.url);
            if (byte_ == '.') return sdk::poll_result::end;
            view = {&byte_, 1};
            ++chunks_;
            ++session_.transport.received;
            return sdk::poll_result::ready;
        }
        void read_timing(chm_exchange_timing& out) const noexcept {
            out.retries = 7;
            if (session_.transport.knows_readable)
                out.readable_ns = 1000 + chunks_; // so that a test can tell for which chunk it was read
        }

      private:
        bool read(chm_waker* waker, char& byte) {
            session_.transport.note_thread();
            const chm_service_ext* services = sdk::service_of(session_.executor);
            if (services && services->worker_here(session_.executor) < 0) ++session_.transport.polled_elsewhere;
            for (;;) {
                const std::uint32_t seen = io_.poll(CHM_IO_READ, waker);
                if (seen == 0) return false;
                const ssize_t n = ::recv(session_.fd, &byte, 1, 0);
                if (n == 1) return true;
                if (n == 0) throw sdk::error(CHM_E_CLOSED, session_.url + " closed the connection");
                io_.drained(seen, CHM_IO_READ);
            }
        }
        session& session_;
        sdk::io io_;
        char byte_ = 0;
        std::uint64_t chunks_ = 0;
        bool over_ = false;
    };

    class session final : public sdk::session_base<session> {
      public:
        session(byte_transport& t, const chm_session_args& args, std::string u)
            : transport(t), executor(args.executor), reactor(args.reactor), url(std::move(u)),
              fd(t.connection(url).a.get()) {
            ++t.open_objects;
        }
        session(const session&) = delete;
        session& operator=(const session&) = delete;
        ~session() {
            transport.note_thread();
            --transport.open_objects;
        }
        chm_exchange* start(const chm_request& r) {
            transport.note_thread();
            if (sdk::view(r.path) == "/refused") throw sdk::error(CHM_E_CONNECT, "cannot connect to " + url);
            return new exchange(*this);
        }
        byte_transport& transport;
        chm_executor* executor;
        chm_reactor* reactor;
        std::string url;
        int fd;
    };

    test::socket_pair& connection(const std::string& url) {
        std::lock_guard lock(mutex_);
        return connections_[url];
    }
    void note_thread() {
        std::lock_guard lock(mutex_);
        threads_.insert(std::this_thread::get_id());
    }

    mutable std::mutex mutex_;
    std::map<std::string, test::socket_pair> connections_;
    std::set<std::thread::id> threads_;
};

} // namespace chimera::async_std_bridge_test
