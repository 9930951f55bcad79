#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "../kit/expect.hpp"
#include "chimera/sdk/http1.h"
#include "fronts.hpp"

namespace chimera::conformance {

namespace {

constexpr std::size_t most_waiting = 65536; // bytes of a body between the server inside and the client

std::string lower(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return made;
}

std::string trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return std::string(text);
}

/// Headers that are about the HTTP/1.1 connection, which is not there.
bool is_of_connection(std::string_view name) {
    return name == "connection" || name == "transfer-encoding" || name == "keep-alive" || name == "upgrade";
}

} // namespace

struct h2_front::stream {
    std::int32_t id = 0;
    sdk::owned_fd inside; ///< our end; the other is the server's
    std::shared_ptr<stream_end> end = std::make_shared<stream_end>();
    std::string method, path, authority, headers, request_body;
    bool has_length = false;
    bool request_complete = false;
    std::string to_server;   ///< bytes that it has not taken yet
    std::size_t of_body = 0; ///< bytes at the end of to_server for which the client may send as many more

    std::string head; ///< as far as it came
    bool head_sent = false;
    chm_http1 response{};
    std::string body;      ///< that the client has not taken yet
    bool complete = false; ///< nothing follows `body`
    bool broken = false;   ///< and the stream is reset behind it
    bool waits = false;    ///< nghttp2 asks again when it is told that there is more

    bool wants_to_read() const noexcept { return !complete && !broken && body.size() < most_waiting; }
};

/// Called by nghttp2.
struct h2_front::callbacks {
    static h2_front& self(void* user) noexcept { return *static_cast<h2_front*>(user); }
    static stream* find(void* user, std::int32_t id) {
        const auto at = self(user).streams_.find(id);
        return at == self(user).streams_.end() ? nullptr : at->second.get();
    }

    static ssize_t send(nghttp2_session*, const std::uint8_t* bytes, std::size_t size, int, void* user) {
        const ssize_t n = ::send(self(user).fd_, bytes, size, MSG_NOSIGNAL);
        if (n >= 0) return n;
        return errno == EAGAIN || errno == EINTR ? NGHTTP2_ERR_WOULDBLOCK : NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            auto made = std::make_unique<stream>();
            made->id = frame->hd.stream_id;
            self(user).streams_[made->id] = std::move(made);
        }
        return 0;
    }
    static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        stream* s = find(user, frame->hd.stream_id);
        if (!s) return 0;
        const std::string key(reinterpret_cast<const char*>(name), name_size);
        const std::string text(reinterpret_cast<const char*>(value), value_size);
        if (key == ":method")
            s->method = text;
        else if (key == ":path")
            s->path = text;
        else if (key == ":authority")
            s->authority = text;
        else if (key.front() != ':') {
            if (key == "content-length") s->has_length = true;
            if (key == "host")
                s->authority = text;
            else
                s->headers += key + ": " + text + "\r\n";
        }
        return 0;
    }
    static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        h2_front& f = self(user);
        if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK)) ++*f.pings_answered_;
        if (frame->hd.type == NGHTTP2_RST_STREAM) ++*f.resets_;
        stream* s = find(user, frame->hd.stream_id);
        if (!s || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)) return 0;
        s->request_complete |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (!s->inside && (s->has_length || s->request_complete)) f.open(s->id);
        return 0;
    }
    static int data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                    std::size_t size, void* user) {
        stream* s = find(user, id);
        if (!s) return 0;
        const char* text = reinterpret_cast<const char*>(bytes);
        if (s->inside) {
            s->to_server.append(text, size);
            s->of_body += size;
        } else { // of a length that is known at its end
            s->request_body.append(text, size);
            nghttp2_session_consume(session, id, size);
        }
        return 0;
    }
    static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
        self(user).forget(id);
        return 0;
    }
    static ssize_t more_body(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                             std::uint32_t* flags, nghttp2_data_source*, void* user) {
        stream* s = find(user, id);
        if (!s) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        if (s->body.empty() && s->broken) self(user).break_off(*s);
        if (s->body.empty() && !s->complete) {
            s->waits = true;
            return NGHTTP2_ERR_DEFERRED;
        }
        const std::size_t n = std::min(room, s->body.size());
        std::memcpy(into, s->body.data(), n);
        s->body.erase(0, n);
        if (s->body.empty() && s->complete) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(n);
    }
};

h2_front::h2_front(int fd, std::uint32_t max_streams, server serve)
    : fd_(fd), serve_(std::move(serve)),
      bell_(sdk::owned_fd::checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    nghttp2_session_callbacks* table = nullptr;
    nghttp2_option* options = nullptr;
    expect(nghttp2_session_callbacks_new(&table) == 0 && nghttp2_option_new(&options) == 0, "nghttp2 must have memory");
    nghttp2_session_callbacks_set_send_callback(table, callbacks::send);
    nghttp2_session_callbacks_set_on_begin_headers_callback(table, callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(table, callbacks::header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(table, callbacks::frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, callbacks::data);
    nghttp2_session_callbacks_set_on_stream_close_callback(table, callbacks::stream_closed);
    nghttp2_option_set_no_auto_window_update(options, 1); // a server that does not read holds the client back
    nghttp2_option_set_no_closed_streams(options, 1);     // kept, they would look like memory that grows
    const int made = nghttp2_session_server_new2(&session_, table, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(table);
    expect(made == 0, "nghttp2 must have memory");
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
}

h2_front::~h2_front() { nghttp2_session_del(session_); }

void h2_front::ask(std::atomic<unsigned>& what) {
    ++what;
    const std::uint64_t one = 1;
    while (::write(bell_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void h2_front::obey() {
    for (unsigned n = pings_asked_.exchange(0); n > 0; --n) nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    if (goaways_asked_.exchange(0) > 0)
        nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                              NGHTTP2_NO_ERROR, nullptr, 0);
}

void h2_front::open(std::int32_t id) {
    stream& s = *streams_.at(id);
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) < 0)
        throw failure("the kit's server has no descriptors left");
    s.inside = sdk::owned_fd(both[0]);
    ::fcntl(both[0], F_SETFL, ::fcntl(both[0], F_GETFL) | O_NONBLOCK);
    chm_http1_begin(&s.response, s.method == "HEAD");
    s.to_server = s.method + " " + s.path + " HTTP/1.1\r\nhost: " + s.authority + "\r\n" + s.headers;
    if (!s.has_length) s.to_server += "content-length: " + std::to_string(s.request_body.size()) + "\r\n";
    s.to_server += "\r\n" + s.request_body;
    s.of_body = 0;
    const auto finished = std::make_shared<std::atomic<bool>>(false);
    threads_.push_back({finished, std::jthread([this, finished, end = s.end, fd = both[1]] {
                            serve_(fd, *end);
                            ::close(fd);
                            *finished = true;
                        })});
    give_request(s);
}

void h2_front::give_request(stream& s) {
    while (!s.to_server.empty()) {
        const ssize_t n = ::send(s.inside.get(), s.to_server.data(), s.to_server.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        const std::size_t taken =
            n > 0 ? static_cast<std::size_t>(n) : s.to_server.size(); // the server does not read: all
        s.to_server.erase(0, taken);
        const std::size_t left = std::min(s.of_body, s.to_server.size());
        if (s.of_body > left) nghttp2_session_consume(session_, s.id, s.of_body - left);
        s.of_body = left;
    }
}

void h2_front::take_response(stream& s) {
    char buffer[16384];
    while (s.wants_to_read()) {
        const ssize_t n = ::recv(s.inside.get(), buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return ended_inside(s);
        if (s.head_sent) {
            read_body(s, buffer, static_cast<std::size_t>(n));
        } else {
            s.head.append(buffer, static_cast<std::size_t>(n));
            read_head(s);
        }
    }
}

/// Sends the complete heads, and the bytes after the final one.
void h2_front::read_head(stream& s) {
    for (std::size_t end; !s.head_sent && !s.broken && (end = s.head.find("\r\n\r\n")) != std::string::npos;) {
        const std::string one = s.head.substr(0, end + 4);
        s.head.erase(0, end + 4);
        if (one.size() > 9 && one[9] == '1') {
            submit_head(s, one, false, false);
            continue;
        }
        chm_str in{one.data(), one.size()}, piece;
        if (chm_http1_next(&s.response, &in, &piece) < 0) {
            s.broken = true;
            break_off(s);
            return;
        }
        s.complete = s.response.state == CHM_HTTP1_DONE;
        submit_head(s, one, s.complete, true);
        s.head_sent = true;
        const std::string rest = std::move(s.head);
        read_body(s, rest.data(), rest.size());
    }
}

void h2_front::submit_head(stream& s, const std::string& head, bool last, bool final) {
    std::vector<std::pair<std::string, std::string>> fields{{":status", head.substr(9, 3)}};
    for (std::size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
        const std::size_t end = head.find("\r\n", at), colon = head.find(':', at);
        const std::string name = lower(std::string_view(head).substr(at, colon - at));
        if (!is_of_connection(name))
            fields.emplace_back(name, trimmed(std::string_view(head).substr(colon + 1, end - colon - 1)));
        at = end + 2;
    }
    std::vector<nghttp2_nv> table;
    for (auto& [name, value] : fields)
        table.push_back({reinterpret_cast<std::uint8_t*>(name.data()), reinterpret_cast<std::uint8_t*>(value.data()),
                         name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    if (!final) {
        nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, s.id, nullptr, table.data(), table.size(), nullptr);
        return;
    }
    nghttp2_data_provider body{};
    body.read_callback = callbacks::more_body;
    nghttp2_submit_response(session_, s.id, table.data(), table.size(), last ? nullptr : &body);
}

void h2_front::read_body(stream& s, const char* bytes, std::size_t size) {
    chm_str in{bytes, size}, piece;
    chm_rc rc;
    while ((rc = chm_http1_next(&s.response, &in, &piece)) == CHM_READY) s.body.append(piece.ptr, piece.len);
    s.complete |= rc == CHM_END;
    s.broken |= rc < 0;
    if (std::exchange(s.waits, false)) nghttp2_session_resume_data(session_, s.id);
}

void h2_front::ended_inside(stream& s) {
    if (s.head_sent && chm_http1_closed(&s.response) == CHM_END)
        s.complete = true;
    else
        s.broken = true;
    if (!s.head_sent) break_off(s);
    if (std::exchange(s.waits, false)) nghttp2_session_resume_data(session_, s.id);
}

void h2_front::break_off(stream& s) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, s.id,
                              s.end->reset ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_NO_ERROR);
}

void h2_front::forget(std::int32_t id) {
    const auto at = streams_.find(id);
    if (at == streams_.end()) return;
    if (stream& s = *at->second; s.of_body > 0) nghttp2_session_consume_connection(session_, s.of_body);
    streams_.erase(at);
}

void h2_front::join_finished(bool all) {
    std::erase_if(threads_, [all](const running& r) { return all || *r.finished; });
}

void h2_front::wait() {
    std::vector<pollfd> watched;
    const short write = nghttp2_session_want_write(session_) ? POLLOUT : 0;
    watched.push_back({fd_, static_cast<short>(POLLIN | write), 0});
    watched.push_back({bell_.get(), POLLIN, 0});
    std::vector<std::int32_t> ids;
    for (const auto& [id, s] : streams_) {
        const short events =
            static_cast<short>((s->wants_to_read() ? POLLIN : 0) | (s->to_server.empty() ? 0 : POLLOUT));
        if (!s->inside || events == 0) continue;
        watched.push_back({s->inside.get(), events, 0});
        ids.push_back(id);
    }
    while (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) {
    }
    if (watched[0].revents) {
        std::uint8_t buffer[65536];
        const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) over_ = true;
        if (n > 0 && nghttp2_session_mem_recv(session_, buffer, static_cast<std::size_t>(n)) < 0) over_ = true;
    }
    if (watched[1].revents) {
        std::uint64_t count;
        while (::read(bell_.get(), &count, sizeof count) < 0 && errno == EINTR) {
        }
        obey();
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto at = streams_.find(ids[i]); // the received bytes may have closed it
        if (at == streams_.end() || watched[i + 2].revents == 0) continue;
        give_request(*at->second);
        take_response(*at->second);
    }
}

/// Ends our sending and waits for the client's end: closed with something unread, the connection would be reset.
void h2_front::say_goodbye() {
    ::shutdown(fd_, SHUT_WR);
    char buffer[16384];
    pollfd p{fd_, POLLIN, 0};
    while (::poll(&p, 1, 2000) > 0) {
        const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
    }
}

void h2_front::run(std::atomic<unsigned>& pings_answered, std::atomic<unsigned>& resets) {
    pings_answered_ = &pings_answered;
    resets_ = &resets;
    while (!over_ && nghttp2_session_send(session_) == 0 &&
           (nghttp2_session_want_read(session_) || nghttp2_session_want_write(session_))) {
        join_finished(false);
        wait();
    }
    streams_.clear(); // their scripts see it
    join_finished(true);
    if (!over_) say_goodbye();
}

} // namespace chimera::conformance
