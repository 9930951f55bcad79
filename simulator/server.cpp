#include "server.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace chimera::sim {

namespace {

constexpr std::size_t input_bytes = std::size_t{64} << 10;
constexpr int accepts_per_turn = 256;
constexpr std::size_t most_held = std::size_t{256} << 20; ///< bytes of all requests that have begun
constexpr const char* json_type = "application/json; charset=utf-8";

[[noreturn]] void throw_errno(const char* what) {
    throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

} // namespace

end_watch::end_watch(bool with_parent) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    signal_fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signal_fd_ < 0) {
        throw std::runtime_error(std::string("signalfd: ") + std::strerror(errno));
    }
    if (!with_parent) {
        return;
    }

    const auto parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    parent_already_gone_ = getppid() != parent;
    struct stat info {};
    if (fstat(STDIN_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))) {
        stdin_fd_ = STDIN_FILENO;
    }
}

end_watch::~end_watch() { close(signal_fd_); }

bool end_watch::stdin_ended() const {
    char ignored[256];
    const auto count = read(stdin_fd_, ignored, sizeof ignored);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

server::server(const options& o)
    : options_(o), listener_(o.host, o.port), end_(o.exit_with_parent), engine_(options_, stats_, clock_),
      faults_(o.faults), begun_(std::int64_t{o.request_timeout_ms} * 1'000'000),
      input_(std::make_unique<char[]>(input_bytes)) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll_ < 0 || timer_ < 0) {
        throw_errno("epoll and timerfd");
    }
    watch(listener_.fd(), &listener_, EPOLLIN);
    watch(timer_, &timer_, EPOLLIN | EPOLLET);
    watch(end_.signal_fd(), &end_, EPOLLIN);
    if (end_.stdin_fd() >= 0) {
        watch(end_.stdin_fd(), &ended_, EPOLLIN);
    }
    const auto refuse = faults_.refuse();
    if (refuse && refuse->after == 0) {
        refuse_from_now();
    }
}

server::~server() {
    for (auto& c : clients_) {
        if (c->reply) {
            engine_.cancel(*c->reply, monotonic_ns());
        }
    }
    clients_.clear();
    close(timer_);
    close(epoll_);
}

void server::watch(int fd, void* tag, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = tag;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
        throw_errno("epoll_ctl");
    }
}

void server::run() {
    ended_ = end_.parent_already_gone();
    while (!ended_) {
        const auto now = monotonic_ns();
        serve_events(std::min({engine_.next_wake(now), listen_again_at_, begun_.next_due()}));
        if (listen_again_at_ <= monotonic_ns()) {
            listen_again_at_ = never;
            listener_.listen_again();
            watch(listener_.fd(), &listener_, EPOLLIN);
        }
        engine_.run();
        finish_replies();
        if (begun_.next_due() != never) {
            end_overdue(monotonic_ns());
        }
        dropped_.clear();
    }
}

/// Waits for sockets until `wake` and serves them.
void server::serve_events(std::int64_t wake) {
    const bool at_once = wake <= monotonic_ns();
    if (!at_once) {
        arm_timer(wake);
    }
    std::array<epoll_event, 512> events;
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), at_once ? 0 : -1);
    if (count < 0 && errno != EINTR) {
        throw_errno("epoll_wait");
    }
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr == &listener_) {
            accept_all();
        } else if (event.data.ptr == &end_) {
            ended_ = true;
        } else if (event.data.ptr == &ended_) {
            ended_ = ended_ || end_.stdin_ended();
        } else if (event.data.ptr == &timer_) {
            timer_set_to_ = -1; // it only woke us; engine_.run() finds the due work
        } else {
            on_client(*static_cast<client*>(event.data.ptr), event.events);
        }
    }
}

void server::arm_timer(std::int64_t wake) {
    if (wake == timer_set_to_) {
        return;
    }
    timer_set_to_ = wake;
    itimerspec when{};
    if (wake != never) {
        when.it_value.tv_sec = wake / 1'000'000'000;
        when.it_value.tv_nsec = wake % 1'000'000'000;
    }
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void server::accept_all() {
    for (int left = accepts_per_turn; left > 0 && listener_.fd() >= 0; --left) {
        const int fd = listener_.accept();
        if (fd < 0) {
            break;
        }
        auto c = std::make_unique<client>(fd);
        c->place = clients_.size();
        watch(fd, c.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        await_or_settle(*c);
        clients_.push_back(std::move(c));
        ++stats_.connections_accepted;
        ++stats_.connections_open;
    }
}

void server::on_client(client& c, std::uint32_t events) {
    if (!c.connection.is_open()) {
        return;
    } // dropped earlier in this turn
    if ((events & EPOLLERR) != 0) {
        drop(c);
        return;
    }
    if ((events & EPOLLOUT) != 0 && c.connection.blocked()) {
        switch (c.connection.flush()) {
        case http_connection::output::sent:
            if (c.reply) {
                engine_.resume(*c.reply, monotonic_ns());
            } else {
                after_response(c);
            }
            break;
        case http_connection::output::blocked:
            break;
        case http_connection::output::failed:
            ++stats_.send_errors;
            drop(c);
            return;
        }
    }
    c.peer_ended = c.peer_ended || (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
    if (!c.connection.is_open() || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) == 0) {
        return;
    }
    c.unread = true;
    if (c.reply || c.connection.blocked()) {
        // A pipelined request stays in the socket until its turn. The end of the connection cancels the reply.
        if (c.peer_ended && c.connection.peer_is_gone()) {
            drop(c);
        }
        return;
    }
    read_requests(c);
}

/// Serves the requests in the socket until a reply is in progress or nothing is left. A short read means that the
/// socket is empty, unless the peer has ended its side: then the end is still to be read, and no further event tells of
/// it.
void server::read_requests(client& c) {
    while (c.unread) {
        std::string_view got;
        switch (c.connection.receive(input_.get(), input_bytes, got)) {
        case http_connection::input::later:
            c.unread = false;
            return;
        case http_connection::input::ended:
            drop(c);
            return;
        case http_connection::input::data:
            break;
        }
        c.unread = c.peer_ended || got.size() == input_bytes;
        if (c.discarding) {
            continue;
        }
        const bool go_on = handle(c, c.connection.reader.feed(got));
        if (c.connection.is_open()) {
            await_or_settle(c);
        }
        if (!go_on) {
            return;
        }
    }
}

/// Starts or stops the client's time, after whatever may have made it the client's turn. A request that has begun has
/// to be whole in time, a connection on which our side has ended has to end; between requests a client may be idle for
/// ever.
void server::await_or_settle(client& c) {
    const bool clients_turn = !c.reply && !c.connection.blocked();
    const auto held = begun_.account(c.begun, c.connection.reader.held());
    if (clients_turn && !c.discarding && held > most_held) {
        c.connection.reader.release();
        begun_.account(c.begun, 0);
        respond(c, 503, json_type,
                nlohmann::json{{"error", "the requests that are not whole yet occupy more than 256 MiB"}}.dump(),
                false);
    } else if (clients_turn && (c.fresh || c.discarding || c.connection.reader.in_request())) {
        begun_.await(c, c.begun, monotonic_ns());
    } else {
        begun_.settle(c.begun);
    }
}

void server::end_overdue(std::int64_t now) {
    while (begun_.next_due() <= now) {
        auto& c = begun_.first();
        begun_.settle(c.begun);
        if (c.discarding || !c.connection.reader.in_request()) {
            drop(c);
            continue;
        }
        c.connection.reader.release();
        respond(c, 408, json_type, nlohmann::json{{"error", "the request was not whole in time"}}.dump(), false);
        if (c.connection.is_open()) {
            await_or_settle(c);
        }
    }
}

/// Handles the result of the reader, as long as the bytes that were read contain requests. False: read no further now.
bool server::handle(client& c, http_request_reader::outcome outcome) {
    using outcomes = http_request_reader::outcome;
    auto& reader = c.connection.reader;
    for (; outcome == outcomes::complete; outcome = reader.next()) {
        c.fresh = false;
        begun_.settle(c.begun);
        serve(c, reader.request());
        std::string().swap(reader.request().body); // a connection keeps no prompt
        if (!c.connection.is_open() || c.reply || c.connection.blocked() || c.ends) {
            // Whether more is in the socket is not known here; a further read will tell.
            c.unread = true;
            return c.connection.is_open() && c.discarding;
        }
    }
    if (outcome == outcomes::failed) {
        respond(c, reader.error_status(), json_type, nlohmann::json{{"error", reader.error_text()}}.dump(), false);
        return c.connection.is_open() && c.discarding;
    }
    if (reader.take_continue() &&
        c.connection.send("HTTP/1.1 100 Continue\r\n\r\n") == http_connection::output::failed) {
        drop(c);
        return false;
    }
    return true;
}

void server::respond(client& c, int status, std::string_view type, std::string_view body, bool keep_alive,
                     std::string_view extra_headers, bool head_only) {
    auto bytes = response_head(status, type, static_cast<std::int64_t>(body.size()), keep_alive, extra_headers);
    if (!head_only) {
        bytes += body;
    }
    c.ends = !keep_alive;
    switch (c.connection.send(bytes)) {
    case http_connection::output::sent:
        if (c.ends) {
            shut(c);
        }
        break;
    case http_connection::output::blocked:
        break;
    case http_connection::output::failed:
        ++stats_.send_errors;
        drop(c);
        break;
    }
}

/// A response has left whole: the next request, if its bytes are here, or the end.
void server::after_response(client& c) {
    if (c.ends) {
        shut(c);
        return;
    }
    const bool go_on = handle(c, c.connection.reader.next());
    if (c.connection.is_open()) {
        await_or_settle(c);
    }
    if (go_on && c.unread) {
        read_requests(c);
    }
}

/// Ends our side. Unread input would turn the close into a reset that destroys what the peer has not read yet, so input
/// is thrown away until the peer ends its side.
void server::shut(client& c) {
    c.ends = true;
    c.discarding = true;
    shutdown(c.connection.fd(), SHUT_WR);
    begun_.settle(c.begun);
    begun_.await(c, c.begun, monotonic_ns());
    c.unread = true;
    read_requests(c);
}

void server::drop(client& c) {
    if (c.reply) {
        engine_.cancel(*c.reply, monotonic_ns());
    }
    begun_.forget(c.begun);
    c.connection.close();
    --stats_.connections_open;
    const auto place = c.place;
    std::swap(clients_[place], clients_.back());
    clients_[place]->place = place;
    dropped_.push_back(std::move(clients_.back()));
    clients_.pop_back();
}

void server::refuse_from_now() {
    listener_.refuse();
    ++stats_.faults;
    const auto ms = faults_.refuse()->ms;
    if (ms > 0) {
        listen_again_at_ = monotonic_ns() + std::int64_t{ms} * 1'000'000;
    }
}

} // namespace chimera::sim
