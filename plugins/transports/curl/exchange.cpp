#include "exchange.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/plugin.hpp>

#include "curl_handle.hpp"
#include "http1/http_text.hpp"

namespace chimera::curl {

namespace {

exchange& self_of(void* self) noexcept { return *static_cast<exchange*>(self); }

} // namespace

const chm_timing_ext exchange::timing_extension{sizeof(chm_timing_ext), 0, read_timing};

void exchange::adopt(CURL* easy) {
    easy_ = easy;
    set_option(easy_, CURLOPT_ERRORBUFFER, curl_text_.data());
    set_option(easy_, CURLOPT_HEADERFUNCTION, &on_header);
    set_option(easy_, CURLOPT_HEADERDATA, this);
    set_option(easy_, CURLOPT_WRITEFUNCTION, &on_body);
    set_option(easy_, CURLOPT_WRITEDATA, this);
    set_option(easy_, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
    set_option(easy_, CURLOPT_OPENSOCKETDATA, this);
    set_option(easy_, CURLOPT_PREREQFUNCTION, &on_connected);
    set_option(easy_, CURLOPT_PREREQDATA, this);
    set_option(easy_, CURLOPT_DEBUGFUNCTION, &on_debug);
    set_option(easy_, CURLOPT_DEBUGDATA, this);
}

void exchange::begin(std::string_view method, std::string_view path, std::size_t body_size) {
    head_taken_ = paused_ = done_ = received_ = reused_ = false;
    failed_.reset();
    refused_code_ = CHM_OK;
    what_.assign(method)
        .append(" ")
        .append(base_.shown)
        .append(path.substr(0, path.find('?'))); // a query may hold a key
    curl_text_[0] = '\0';
    head_.clear(method == "HEAD");
    ahead_.clear();
    chunks_.begin();
    body_received_ = 0;
    pieces_.clear();
    body_size_ = body_size;
    attempts_ = 0;
    ready_ns_ = sent_ns_ = first_byte_ns_ = waiting_since_ns_ = 0;
    // curl would take bytes that came after the last response for the answer to this request, over TLS too. (A late
    // session ticket costs a connection as well, though it is legal.)
    set_option(easy_, CURLOPT_FRESH_CONNECT, driver_.end_unread() ? 1L : 0L);
    driver_.add(easy_);
    open_ = true;
}

void exchange::close() noexcept {
    driver_.remove(easy_);
    open_ = false;
}

sdk::poll_result exchange::poll_head(chm_waker* waker, chm_head& head) {
    if (head_taken_) throw sdk::error(CHM_E_STATE, what_ + ": the head has been taken already");
    if (!ready_or_pending([this] { return head_.complete(); }, waker)) return sdk::poll_result::pending;
    head_.fill(head);
    head_taken_ = true;
    return sdk::poll_result::ready;
}

sdk::poll_result exchange::poll_chunk(chm_waker* waker, chm_str& view) {
    if (!head_taken_) throw sdk::error(CHM_E_STATE, what_ + ": the body was asked for before the head");
    if (!ready_or_pending([this] { return !pieces_.empty() || done_; }, waker)) return sdk::poll_result::pending;
    if (pieces_.empty()) return sdk::poll_result::end;
    view = sdk::str(pieces_.pop());
    return sdk::poll_result::ready;
}

/// Lets curl work until ready() (true), or until there is nothing to do (false: the waker will be woken). Throws when
/// the exchange has failed and everything that came before the failure is delivered.
template <class Ready>
bool exchange::ready_or_pending(Ready ready, chm_waker* waker) {
    try {
        if (!drive_until(ready, waker)) return false;
    } catch (const sdk::error& e) { // the reactor's refusals
        fail(e.code(), e.what());
    }
    if (!ready()) throw *failed_;
    return true;
}

/// Lets curl work until something is ready or has failed (true), or until there is nothing to do (false).
template <class Ready>
bool exchange::drive_until(Ready ready, chm_waker* waker) {
    constexpr int fair_share = 64; // turns before other tasks have theirs
    for (int turns = 0; !ready() && !failed_; ++turns) {
        if (paused_) {
            resume();
            continue;
        }
        const multi_driver::turned turned = driver_.turn(waker, reads_head() ? &ahead_ : nullptr);
        if (turned != multi_driver::turned::nothing) {
            note(turned);
            take_result();
            if (turns < fair_share || ready()) continue;
        }
        const std::uint64_t now = sdk::now_ns(), limit = deadline(now);
        if (now >= limit) {
            const bool first = sent_ns_ && !first_byte_ns_;
            fail(CHM_E_TIMEOUT, (first ? "nothing came for " : "no progress for ") +
                                    std::to_string((first ? options_.first_byte_ns : options_.idle_ns) / 1'000'000U) +
                                    (first ? " ms (first_byte_timeout_ms)" : " ms (idle_timeout_ms)"));
        } else if (turned != multi_driver::turned::nothing) {
            waker->vt->wake_by_ref(waker);
            return false;
        } else if (!driver_.expired(limit, waker)) {
            return false;
        }
    }
    return true;
}

/// Takes the bytes that curl held back at the high-water mark; it may pause again at once.
void exchange::resume() {
    paused_ = false;
    const CURLcode code = curl_easy_pause(easy_, CURLPAUSE_CONT);
    if (refused_code_ != CHM_OK) fail(refused_code_, refused_why_);
    if (code != CURLE_OK) fail(failure_code(code, curl_text_.data()), curl_easy_strerror(code));
}

void exchange::take_result() {
    const std::optional<CURLcode> result = driver_.finished();
    // Where curl does not end the body, it would go on until the connection ends.
    const bool whole = head_.complete() && !head_.framing().ended_by_curl && body_complete();
    if (refused_code_ != CHM_OK) {
        if (result) fail(refused_code_, refused_why_);
    } else if (has_lost_line(result && *result != CURLE_OK)) {
        fail(CHM_E_PROTO, http1::bad_message(fault_of(CURLE_WEIRD_SERVER_REPLY, "Nul byte in header")).what());
    } else if (!head_.complete() && head_is_too_large()) {
        if (!first_byte_ns_) first_byte_ns_ = sdk::now_ns(); // behind an interim head, before a whole line
        fail(CHM_E_LIMIT, response_head::too_large);
    } else if (!whole && result && *result != CURLE_OK) {
        if (*result == CURLE_GOT_NOTHING) first_byte_ns_ = 0; // curl read only the end
        const chm_rc code = failure_code(*result, curl_text_.data());
        if (*result == CURLE_OUT_OF_MEMORY && first_byte_ns_ && !head_.complete())
            fail(CHM_E_LIMIT, response_head::too_large); // a line of 100 KB, which curl does not tell from no memory
        else
            fail(code, cause_of(*result, code));
    } else if (!whole && result &&
               (!head_.complete() || !body_complete())) { // to curl a head may end with the connection
        fail(CHM_E_CLOSED, "the server closed the connection");
    } else if (whole || result) {
        done_ = true;
    }
}

/// curl's own words, or clearer ones.
std::string exchange::cause_of(CURLcode result, chm_rc code) const {
    const std::string said = curl_text_[0] ? curl_text_.data() : curl_easy_strerror(result);
    if (code == CHM_E_CONNECT && !base_.unix_socket.empty()) {
        long cause = 0;
        curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &cause);
        return "the unix socket " + base_.unix_socket + ": " +
               (cause ? std::generic_category().message(static_cast<int>(cause)) : said);
    }
    return code == CHM_E_PROTO ? http1::bad_message(fault_of(result, said)).what() : said;
}

/// When a NUL follows a line of the head, curl silently drops the bytes that it has read after the line. When the NUL
/// is the first byte of a read, curl fails instead, as it does for an earlier fault.
bool exchange::has_lost_line(bool curl_failed) const noexcept {
    if (head_.complete()) return false;
    const std::size_t at = ahead_.find(std::string_view("\n\0", 2));
    return at != std::string::npos && (!curl_failed || at + 1 <= head_.bytes());
}

/// [the head is not complete] Counts the unfinished line too, which curl lets grow to 100 KB.
bool exchange::head_is_too_large() const noexcept {
    if (ahead_.empty()) return false;
    // More may have come between the look and curl's read.
    const std::uint64_t before = reused_ ? received_before_ : 0, taken = driver_.taken();
    return std::max<std::uint64_t>(ahead_.size(), taken > before ? taken - before : 0) > response_head::max_bytes;
}

/// Whether the next bytes on the socket are of a head that can be looked at.
bool exchange::reads_head() const noexcept { return ready_ns_ && !encrypted_ && !head_.complete(); }

/// True when the framing that curl does not see is complete too.
bool exchange::body_complete() const noexcept {
    const body_framing& f = head_.framing();
    return f.chunked ? chunks_.done() : f.ended_by_curl || body_received_ == f.length;
}

/// After a turn: were bytes received, and was the first byte of the response among them? curl may also receive in a
/// turn that began as something else, right after it has sent the request.
void exchange::note(multi_driver::turned turned) {
    // The start of the transfer is the first receive, while the header callback waits for a whole line. TLS session
    // tickets, which make the socket readable too, do not count.
    const bool began = !first_byte_ns_ && (received_ || (sent_ns_ && start_of_transfer() > start_before_));
    const bool received = std::exchange(received_, false) || began;
    const bool read = turned == multi_driver::turned::read && driver_.readable_ns() >= sent_ns_;
    if (!read && !received && turned == multi_driver::turned::timeout) return;
    waiting_since_ns_ = 0;
    if (began) first_byte_ns_ = read ? driver_.readable_ns() : sdk::now_ns();
}

std::int64_t exchange::start_of_transfer() const noexcept {
    curl_off_t us = 0;
    curl_easy_getinfo(easy_, CURLINFO_STARTTRANSFER_TIME_T, &us);
    return us;
}

/// The moment at which waiting for the server ends; multi_driver::never: not at all.
std::uint64_t exchange::deadline(std::uint64_t now) noexcept {
    const auto after = [](std::uint64_t from, std::uint64_t limit) {
        return limit ? from + limit : multi_driver::never;
    };
    if (!ready_ns_) return multi_driver::never; // curl's own limit for connecting
    if (sent_ns_ && !first_byte_ns_) return after(sent_ns_, options_.first_byte_ns);
    // From the first wait after a byte went or came, not from that byte: the time that a reader takes is not the
    // server's.
    if (!waiting_since_ns_) waiting_since_ns_ = now;
    return after(waiting_since_ns_, options_.idle_ns);
}

void exchange::refuse(chm_rc code, const char* why) noexcept {
    refused_code_ = code;
    try {
        refused_why_ = why;
    } catch (const std::bad_alloc&) {
        refused_why_.clear(); // the code says enough
    }
}

void exchange::fail(chm_rc code, std::string_view why) {
    if (!failed_) failed_.emplace(code, what_ + ": " + phase() + ": " + std::string(why));
}

const char* exchange::phase() const noexcept {
    if (!ready_ns_) return "connecting";
    if (!sent_ns_) return "sending the request";
    if (!first_byte_ns_) return "waiting for the response";
    return head_.complete() ? "receiving the body" : "receiving the head";
}

std::size_t exchange::on_header(char* line, std::size_t, std::size_t size, void* self) noexcept {
    exchange& x = self_of(self);
    x.received_ = true;
    try {
        switch (x.head_.add({line, size})) {
        case response_head::outcome::more:
            return size;
        case response_head::outcome::complete:
            // To a response without a body curl does not count the bytes behind it.
            if (!x.head_.framing().reusable || (x.head_.framing().empty && x.ahead_.size() > x.head_.bytes()))
                x.end_connection();
            return size;
        case response_head::outcome::interim: // the response itself is still to come
            x.first_byte_ns_ = 0;
            x.start_before_ = INT64_MAX; // curl's clock has run: from here on whole lines tell
            x.received_ = false;
            return size;
        }
    } catch (const sdk::error& e) {
        x.refuse(e.code(), e.what());
    } catch (const std::bad_alloc&) {
        x.refuse(CHM_E_NOMEM, "out of memory");
    }
    return 0; // not size: curl ends the transfer
}

std::size_t exchange::on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
    exchange& x = self_of(self);
    x.received_ = true;
    if (!x.pieces_.empty() && x.pieces_.bytes() + size > x.options_.high_water) {
        x.paused_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    try {
        x.take_body({data, size});
        return size;
    } catch (const sdk::error& e) {
        x.refuse(e.code(), e.what());
    } catch (const std::bad_alloc&) {
        x.refuse(CHM_E_NOMEM, "out of memory");
    }
    return size + 1; // not size: curl ends the transfer
}

/// Bytes behind the head, undecoded.
void exchange::take_body(std::string_view bytes) {
    const body_framing& f = head_.framing();
    if (f.chunked) {
        while (!bytes.empty() && !chunks_.done())
            if (const std::string_view run = chunks_.next_run(bytes); !run.empty()) pieces_.push(run);
    } else if (f.ended_by_curl) {
        pieces_.push(bytes);
        bytes = {};
    } else {
        const std::string_view part = bytes.substr(0, f.length - body_received_);
        if (!part.empty()) pieces_.push(part);
        body_received_ += part.size();
        bytes.remove_prefix(part.size());
    }
    if (!bytes.empty()) end_connection(); // bytes that belong to nothing
}

/// The connection is closed when curl has finished, not kept.
void exchange::end_connection() noexcept { curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L); }

/// curl counts whole header lines only: it would ask again for a response that ended within its first line. So a new
/// connection is refused once a byte has come over the one before. curl may have read that byte and the end in one
/// turn; then the look ahead tells, or the kernel's count, in which the end is one more. TLS has bytes of its own, so
/// there is no such check with TLS.
curl_socket_t exchange::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
    exchange& x = self_of(self);
    const bool counted =
        x.attempts_ > 0 && !x.encrypted_ &&
        (!x.ahead_.empty() || x.driver_.received_at_removal() > x.received_before_ + 1); // the latter: TCP only
    if (!x.first_byte_ns_ && !counted) {
        const curl_socket_t fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
        try {
            if (fd >= 0) x.driver_.opened(fd);
            return fd;
        } catch (const std::bad_alloc&) {
            x.refuse(CHM_E_NOMEM, "out of memory");
            ::close(fd);
            return CURL_SOCKET_BAD;
        }
    }

    if (!x.first_byte_ns_) x.first_byte_ns_ = sdk::now_ns();
    long cause = 0;
    curl_easy_getinfo(x.easy_, CURLINFO_OS_ERRNO, &cause);
    if (cause == ECONNRESET)
        x.refuse(CHM_E_IO, "the server reset the connection");
    else
        x.refuse(CHM_E_CLOSED, "the server closed the connection");
    return CURL_SOCKET_BAD;
}

/// Before the request is sent, on a new connection (after its TLS handshake) or on the one at hand; again on a retry.
int exchange::on_connected(void* self, char*, char*, int, int) noexcept {
    exchange& x = self_of(self);
    long connections = 0;
    curl_easy_getinfo(x.easy_, CURLINFO_NUM_CONNECTS, &connections);
    x.ready_ns_ = sdk::now_ns();
    x.reused_ = connections == 0;
    if (!x.reused_) x.connected_ns_ = x.ready_ns_;
    ++x.attempts_;
    x.sent_ns_ = x.first_byte_ns_ = 0;
    x.received_before_ = x.driver_.received_at_removal();
    x.start_before_ = x.start_of_transfer(); // not 0 on a retry: the end of the connection before was received
    x.body_sent_ = 0;
    x.ahead_.clear();
    // Only debug output says when bytes went to the kernel. It is on for the sending and costs the receiving nothing.
    curl_easy_setopt(x.easy_, CURLOPT_VERBOSE, 1L);
    return CURL_PREREQFUNC_OK;
}

int exchange::on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self) noexcept {
    exchange& x = self_of(self);
    if (type == CURLINFO_DATA_OUT) x.body_sent_ += size;
    const bool sent = type == CURLINFO_DATA_OUT ? x.body_sent_ == x.body_size_
                                                : type == CURLINFO_HEADER_OUT && x.body_size_ == 0 &&
                                                      std::string_view(data, size).ends_with("\r\n\r\n");
    if (!sent) return 0;
    x.sent_ns_ = sdk::now_ns();
    curl_easy_setopt(x.easy_, CURLOPT_VERBOSE, 0L);
    return 0;
}

void exchange::read_timing(const chm_exchange* raw, chm_exchange_timing* out) noexcept {
    const exchange& x = *static_cast<const exchange*>(raw);
    chm_exchange_timing t{}; // readable_ns stays 0: the wake that led to the poll knows better
    t.retries = x.attempts_ > 1 ? x.attempts_ - 1 : 0;
    t.reused = x.reused_ ? 1 : 0;
    t.connected_ns = x.ready_ns_ ? x.connected_ns_ : 0;
    t.sent_ns = x.sent_ns_;
    t.first_byte_ns = x.first_byte_ns_;
    sdk::copy_timing(out, t);
}

} // namespace chimera::curl
