#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "begun_requests.hpp"
#include "end_watch.hpp"
#include "fault.hpp"
#include "generation.hpp"
#include "generation_engine.hpp"
#include "http_connection.hpp"
#include "listener.hpp"
#include "options.hpp"
#include "server_stats.hpp"

namespace chimera::sim {

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
        bool peer_ended = false; ///< the peer sends no more than what the socket holds
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
