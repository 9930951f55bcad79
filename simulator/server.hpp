#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "fault.hpp"
#include "generation.hpp"
#include "generation_engine.hpp"
#include "http_connection.hpp"
#include "options.hpp"
#include "server_stats.hpp"

namespace chimera::sim {

/// Tells when the program is to end: SIGTERM, SIGINT, and, when it is to exit with its parent, the parent's death or
/// the end of standard input. Make it in the main thread before any other thread exists: it blocks those signals.
class end_watch {
  public:
    explicit end_watch(bool with_parent);
    ~end_watch();
    end_watch(const end_watch&) = delete;
    end_watch& operator=(const end_watch&) = delete;

    /// Readable when a signal has come.
    int signal_fd() const { return signal_fd_; }

    /// Standard input where its end means the parent's; -1 otherwise (a terminal or /dev/null says nothing).
    int stdin_fd() const { return stdin_fd_; }

    /// Call when stdin_fd() is readable: reads the available bytes and tells whether the end was reached.
    bool stdin_ended() const;

    /// True when the parent was gone before it could be watched.
    bool parent_already_gone() const { return parent_already_gone_; }

  private:
    int signal_fd_ = -1;
    int stdin_fd_ = -1;
    bool parent_already_gone_ = false;
};

/// Connections whose peer has to do something soon: to send the rest of a request, or to close its side. Each has the
/// same time for it, so the one that began first is due first. Keeps count of the memory that all requests occupy.
template <class Connection>
class begun_requests {
    struct entry {
        Connection* who;
        std::int64_t due;
    };

  public:
    /// Kept by each connection.
    class place {
        friend class begun_requests;
        typename std::list<entry>::iterator at;
        bool awaited = false;
        std::size_t bytes = 0;
    };

    /// `timeout_ns` 0: no limit.
    explicit begun_requests(std::int64_t timeout_ns) : timeout_ns_(timeout_ns) {}

    /// The peer's time runs from now on, unless it runs already.
    void await(Connection& who, place& p, std::int64_t now) {
        if (p.awaited || timeout_ns_ == 0) {
            return;
        }
        p.at = waiting_.insert(waiting_.end(), {&who, now + timeout_ns_});
        p.awaited = true;
    }
    void settle(place& p) {
        if (p.awaited) {
            waiting_.erase(p.at);
            p.awaited = false;
        }
    }
    /// The connection's requests occupy so many bytes now. Returns those of all connections.
    std::size_t account(place& p, std::size_t bytes) {
        bytes_ = bytes_ - p.bytes + bytes;
        p.bytes = bytes;
        return bytes_;
    }
    void forget(place& p) {
        settle(p);
        account(p, 0);
    }

    /// When the first one is due; `never`: none.
    std::int64_t next_due() const { return waiting_.empty() ? never : waiting_.front().due; }
    /// [next_due has passed]
    Connection& first() const { return *waiting_.front().who; }

  private:
    const std::int64_t timeout_ns_;
    std::list<entry> waiting_;
    std::size_t bytes_ = 0;
};

/// The server: sockets, epoll, routes. One thread does everything.
class server {
  public:
    /// Listens when it returns. Throws std::runtime_error when it cannot (address in use, shared GPU file).
    explicit server(const options& o);
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::string url() const { return listener_.url(); }

    /// Serves until told to end.
    void run();

  private:
    /// A connection and the reply on it, if there is one.
    struct client {
        explicit client(int fd) : connection(fd) {}
        http_connection connection;
        std::unique_ptr<generation> reply;
        std::size_t place = 0; ///< index in clients_
        begun_requests<client>::place begun;
        bool fresh = true;       ///< nothing has been asked yet
        bool unread = false;     ///< the socket may hold more
        bool peer_ended = false; ///< the peer has ended its sending; the socket may still hold bytes
        bool ends = false;       ///< to be closed once everything is sent
        bool discarding = false; ///< our side is shut; only the peer's end is awaited
    };

    void watch(int fd, void* tag, std::uint32_t events);
    void serve_events(std::int64_t wake);
    void on_client(client& c, std::uint32_t events);
    void accept_all();
    void read_requests(client& c);
    bool handle(client& c, http_request_reader::outcome outcome);
    void serve(client& c, http_request& request);
    generation_request parse_generate(const http_request& request, std::int64_t now);
    void generate(client& c, http_request& request);
    std::string page(const http_request& request);
    fault_spec choose_fault(const http_request& request);
    void respond(client& c, int status, std::string_view type, std::string_view body, bool keep_alive,
                 std::string_view extra_headers = {}, bool head_only = false);
    void after_response(client& c);
    void await_or_settle(client& c);
    void end_overdue(std::int64_t now);
    void finish_replies();
    void finish(generation& over);
    void shut(client& c);
    void drop(client& c);
    void refuse_from_now();
    void arm_timer(std::int64_t wake);
    std::string stats_body() const;

    options options_;
    listener listener_;
    end_watch end_;
    server_stats stats_;
    wall_clock clock_;
    generation_engine engine_;
    fault_list faults_;
    std::uint32_t requests_generated_ = 0; ///< for the `refuse` fault
    simdjson::dom::parser json_;

    int epoll_ = -1;
    int timer_ = -1;
    std::int64_t timer_set_to_ = -1;
    std::int64_t listen_again_at_ = never;
    bool ended_ = false;
    begun_requests<client> begun_;
    std::vector<std::unique_ptr<client>> clients_;
    std::vector<std::unique_ptr<client>> dropped_; ///< kept until the events of this turn are through
    std::unique_ptr<char[]> input_;
};

} // namespace chimera::sim
