#include "live/page_server.hpp"

#include "http1/http_text.hpp"
#include "http1/message_head.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chimera::host {
namespace {

sdk::owned_fd listen_on(const page_place& place) {
    const std::string& address = place.address;
    const std::string where =
        fmt::format("{}:{}", address.find(':') == std::string::npos ? address : '[' + address + ']', place.port);
    const auto refuse = [&](const char* why) {
        return std::runtime_error(fmt::format("{}: cannot listen on {}: {}. Give another port, or 0 for any that is "
                                              "free; the address must be one of this machine",
                                              place.option, where, why));
    };
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(address.c_str(), std::to_string(place.port).c_str(), &wanted, &found); error != 0)
        throw refuse(gai_strerror(error));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> at(found, freeaddrinfo);
    sdk::owned_fd fd(socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1, off = 0;
    if (fd) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd && at->ai_family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (!fd || bind(fd.get(), at->ai_addr, at->ai_addrlen) != 0 || listen(fd.get(), SOMAXCONN) != 0)
        throw refuse(std::strerror(errno));
    return fd;
}

std::string url_of(const std::string& address, const sdk::owned_fd& listener, const std::string& path) {
    sockaddr_storage at{};
    socklen_t size = sizeof at;
    getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size);
    const bool v6 = at.ss_family == AF_INET6;
    const auto port = ntohs(v6 ? reinterpret_cast<const sockaddr_in6&>(at).sin6_port
                               : reinterpret_cast<const sockaddr_in&>(at).sin_port);
    return fmt::format("http://{}{}{}:{}{}", v6 ? "[" : "", address, v6 ? "]" : "", port, path);
}

/// Whether a Host field names this machine as itself: "localhost:9100", "127.0.0.1", "[::1]:80".
bool is_local_name(std::string_view host) {
    if (const std::size_t colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']'))
        host = host.substr(0, colon);
    return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

std::string list_of(const std::vector<served_page>& pages) {
    std::string text;
    for (const served_page& p : pages) text += (text.empty() ? "" : ", ") + p.path;
    return (pages.size() == 1 ? "the page is " : "the pages are ") + text + '\n';
}

/// The parts of a request that this server reads.
struct wanted_page {
    std::string_view method, path;
    int minor_version;
};

/// "GET /metrics?query HTTP/1.1", also with "http://host" before the path. Throws bad_message.
wanted_page request_line(std::string_view line) {
    const std::size_t method_end = line.find(' '), target_end = line.rfind(' ');
    const std::string_view version = line.substr(target_end == std::string_view::npos ? line.size() : target_end + 1);
    if (method_end == target_end || !http1::is_token(line.substr(0, method_end)) ||
        (version != "HTTP/1.1" && version != "HTTP/1.0"))
        throw http1::bad_message("its first line is not a method, a target and HTTP/1.1 or 1.0: " + http1::shown(line));
    std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
    if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/'))
        target.remove_prefix(std::min(target.find('/', scheme + 3), target.size()));
    return {line.substr(0, method_end), target.substr(0, target.find('?')), version.back() - '0'};
}

} // namespace

struct page_server::connection {
    enum class doing : std::uint8_t { reading, answering, ending };

    connection(sdk::owned_fd descriptor, const page_server_limits& limits, clock::time_point now)
        : fd(std::move(descriptor)), lines(static_cast<std::uint32_t>(limits.head_bytes)), since(now),
          until(now + limits.head) {}

    bool open() const { return static_cast<bool>(fd); }

    enum class head : std::uint8_t { partial, whole, too_large };
    /// Takes the lines of a request's head from `in`. Throws bad_message.
    head take_head() {
        while (const auto line = lines.next(in)) {
            const bool last = line->text.empty() && !first_line.empty();
            if (first_line.empty())
                first_line = line->text; // empty lines before it are passed over
            else if (!last)
                fields.add(line->text);
            in.erase(0, line->size);
            if (last) return head::whole;
        }
        return lines.over_limit() ? head::too_large : head::partial;
    }
    void begin_request() {
        lines.begin();
        fields.clear();
        first_line.clear();
        begun = !in.empty();
    }

    sdk::owned_fd fd;
    doing stage = doing::reading;
    bool begun = true; ///< a part of a request has come; the first one begins with the connection
    bool keeps = true; ///< another request may follow
    http1::line_reader lines;
    http1::field_list fields;
    std::string first_line, in, out;
    std::size_t sent = 0;           ///< of `out`
    clock::time_point since, until; ///< of what it does; it is closed then
};

/// The answer to a request.
struct page_server::answer {
    int status = 200;
    std::string text;
    bool head_only = false, keeps = false;
    std::string type = "text/plain; charset=utf-8";
};

page_server::page_server(const page_place& place, std::vector<served_page> pages, const page_server_limits& limits)
    : limits_(limits), pages_(std::move(pages)), only_local_names_(place.only_local_names),
      lowest_priority_(place.lowest_priority), listener_(listen_on(place)),
      end_(sdk::owned_fd::checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      url_(url_of(place.address, listener_, pages_.front().path)), thread_([this] { serve(); }) {}

page_server::~page_server() {
    eventfd_write(end_.get(), 1);
    thread_.join();
}

void page_server::serve() {
    pthread_setname_np(pthread_self(), "pages");
    constexpr int lowest = 19;
    if (lowest_priority_) setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), lowest);
    std::vector<pollfd> asked;
    for (;;) {
        const auto now = clock::now();
        asked.clear();
        asked.push_back({end_.get(), POLLIN, 0});
        asked.push_back({now < accept_from_ ? -1 : listener_.get(), POLLIN, 0});
        for (const auto& c : connections_)
            asked.push_back(
                {c->fd.get(), static_cast<short>(c->stage == connection::doing::answering ? POLLOUT : POLLIN), 0});
        if (::poll(asked.data(), asked.size(), wait(now)) < 0) continue; // EINTR, or no memory for a moment
        if (asked[0].revents != 0) return;
        const auto awake = clock::now();
        try {
            for (std::size_t i = 0; i < connections_.size(); ++i) {
                connection& c = *connections_[i];
                if (asked[i + 2].revents != 0) on_ready(c);
                if (c.open() && awake >= c.until) c.fd.reset();
            }
            if (asked[1].revents != 0) accept_all();
        } catch (const std::bad_alloc&) { // losing a scrape is better than losing the measurement
            connections_.clear();
        }
        std::erase_if(connections_, [](const auto& c) { return !c->open(); });
    }
}

/// Milliseconds until something is due; -1: never.
int page_server::wait(clock::time_point now) const {
    auto next = clock::time_point::max();
    if (now < accept_from_) next = accept_from_;
    for (const auto& c : connections_) next = std::min(next, c->until);
    if (next == clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void page_server::accept_all() {
    constexpr int at_once = 64; // then the connected peers have their turn
    for (int i = 0; i < at_once; ++i) {
        sdk::owned_fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd) {
            if (connections_.size() >= limits_.connections) make_room();
            connections_.push_back(std::make_unique<connection>(std::move(fd), limits_, clock::now()));
            read(*connections_.back()); // a scraper has sent its request by now; a peer that only connects makes room
                                        // for the next
            continue;
        }
        if (errno == EAGAIN) return;
        if (errno == EINTR || errno == ECONNABORTED) continue;
        const bool none_free = errno == EMFILE || errno == ENFILE; // accept() says so before it looks for a peer
        if (none_free && !somebody_waits()) return;
        if (none_free && make_room()) continue;
        // The listener stays readable, so it is left alone for a while.
        accept_from_ = clock::now() + limits_.without_files;
        return;
    }
}

bool page_server::somebody_waits() const {
    pollfd p{listener_.get(), POLLIN, 0};
    return ::poll(&p, 1, 0) > 0;
}

/// Closes the connection that has been idle for longest; if all are being answered, the one that has taken longest.
/// False: there are no connections.
bool page_server::make_room() {
    const auto oldest = std::ranges::min_element(connections_, {}, [](const auto& c) {
        return std::tuple(c->open(), c->stage == connection::doing::answering, c->since);
    });
    if (oldest == connections_.end()) return false;
    connections_.erase(oldest);
    return true;
}

void page_server::on_ready(connection& c) {
    std::array<char, 4096> bytes;
    switch (c.stage) {
    case connection::doing::reading:
        read(c);
        break;
    case connection::doing::answering:
        write(c);
        if (c.open()) serve_requests(c);
        break;
    case connection::doing::ending: // closing with unread bytes sends a reset, which may destroy the answer
        if (const auto n = recv(c.fd.get(), bytes.data(), bytes.size(), 0);
            n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            c.fd.reset();
        break;
    }
}

/// Receives once. Bytes after a request wait until it is answered.
void page_server::read(connection& c) {
    std::array<char, 4096> bytes;
    const auto n = recv(c.fd.get(), bytes.data(), bytes.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) c.fd.reset();
    if (n <= 0) return;
    if (!std::exchange(c.begun, true)) c.until = clock::now() + limits_.head;
    c.in.append(bytes.data(), static_cast<std::size_t>(n));
    serve_requests(c);
}

/// Answers the complete requests, one after the other, as fast as the peer takes the answers.
void page_server::serve_requests(connection& c) {
    while (c.open() && c.stage == connection::doing::reading) {
        const auto what = answer_to(c);
        if (!what) return;
        c.out = whole_response(*what);
        c.keeps = what->keeps;
        c.sent = 0;
        c.stage = connection::doing::answering;
        c.since = clock::now();
        c.until = c.since + limits_.answer;
        write(c);
    }
}

/// Nothing: the request is not complete yet.
std::optional<page_server::answer> page_server::answer_to(connection& c) const {
    try {
        const auto head = c.take_head();
        if (head == connection::head::partial) return std::nullopt;
        if (head == connection::head::too_large)
            return answer{431, fmt::format("the request's head is larger than {} bytes\n", limits_.head_bytes)};
        const wanted_page wanted = request_line(c.first_line);
        const auto sends = http1::declared_body::of(c.fields, UINT64_MAX, "chimera-host");
        const bool has_body = sends.chunked || sends.length != 0; // a body is not read
        const bool keeps = http1::stays_open(c.fields, wanted.minor_version) && !has_body;
        const bool head_only = wanted.method == "HEAD";
        if (only_local_names_ && !is_local_name(c.fields.list("host").value_or("localhost")))
            return answer{403, "this page is for this machine: ask localhost for it\n", head_only, keeps};
        const auto page = std::ranges::find(pages_, wanted.path, &served_page::path);
        if (page == pages_.end()) return answer{404, list_of(pages_), head_only, keeps};
        if (wanted.method != "GET" && !head_only) return answer{405, "GET and HEAD are allowed\n", false, keeps};
        return answer{200, page->text(), head_only, keeps, page->type};
    } catch (const http1::bad_message& e) {
        return answer{400, fmt::format("malformed HTTP request: {}\n", e.why())};
    } catch (const std::exception& e) {
        return answer{500, fmt::format("the page could not be made: {}\n", e.what())};
    }
}

std::string page_server::whole_response(const answer& a) {
    const char* const reason = a.status == 200   ? "OK"
                               : a.status == 400 ? "Bad Request"
                               : a.status == 403 ? "Forbidden"
                               : a.status == 404 ? "Not Found"
                               : a.status == 405 ? "Method Not Allowed"
                               : a.status == 431 ? "Request Header Fields Too Large"
                                                 : "Internal Server Error";
    return fmt::format("HTTP/1.1 {} {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\nContent-Type: {}\r\nContent-Length: {}"
                       "\r\nCache-Control: no-store\r\n{}{}\r\n{}",
                       a.status, reason, fmt::gmtime(std::time(nullptr)), a.type, a.text.size(),
                       a.status == 405 ? "Allow: GET, HEAD\r\n" : "", a.keeps ? "" : "Connection: close\r\n",
                       a.head_only ? "" : a.text);
}

void page_server::write(connection& c) {
    while (c.sent < c.out.size()) {
        const auto n = send(c.fd.get(), c.out.data() + c.sent, c.out.size() - c.sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) return c.fd.reset();
        c.sent += static_cast<std::size_t>(n);
    }
    std::string().swap(c.out);
    c.begin_request();
    c.since = clock::now();
    c.stage = c.keeps ? connection::doing::reading : connection::doing::ending;
    c.until = c.since + (!c.keeps ? limits_.end : c.begun ? limits_.head : limits_.idle);
    if (!c.keeps) shutdown(c.fd.get(), SHUT_WR);
}

} // namespace chimera::host
