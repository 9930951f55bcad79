// One exchange's part of a connection: the request, and as much of the response as has come.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/abi/base.h"
#include "chimera/abi/transport.h"
#include "chimera/sdk/waker.hpp"
#include "stream_socket/base_url.hpp"

namespace chimera::h2 {

/// One request. Memory is reused.
class request_fields {
  public:
    /// Replaces the request. Host becomes :authority; the fields that are of a connection in HTTP/1.1 (Connection,
    /// Keep-Alive, Proxy-Connection, Upgrade, and any TE but trailers) mean nothing here and are left out. Throws
    /// sdk::error(CHM_E_INVAL) for a method, path or field that cannot be sent, and for fields that are the transport's
    /// own (Content-Length, Transfer-Encoding).
    void write(const stream_socket::base_url& url, const chm_request& request);
    /// Gives the memory of the body and of the fields back.
    void clear() noexcept;

    /// For nghttp2, which copies them; valid until write() or clear().
    const std::vector<nghttp2_nv>& fields();
    const std::string& body() const noexcept { return body_; }
    /// The base URL's path with the request's own behind it.
    const std::string& target() const noexcept { return target_; }

  private:
    struct place {
        std::size_t name, value, end; // name begins, value begins, value ends
    };
    void add(std::string_view name, std::string_view value);

    std::string target_, body_, text_;
    std::vector<place> places_;
    std::vector<nghttp2_nv> fields_;
};

/// Guarded by its connection's lock, apart from `waiter`; before submit() and after cancel() its exchange's alone.
struct stream {
    request_fields request;
    /// Whose task is to be woken when something here changes.
    sdk::waker_slot waiter;

    std::int32_t id = -1;
    std::size_t place = 0;     ///< in the multiplexer's list
    bool attached = false;     ///< the multiplexer has it
    std::size_t body_sent = 0; ///< bytes of the request's body that are on their way
    bool headers_sent = false; ///< otherwise it waits: for the connection, or because the server takes no more streams

    int status = 0;
    std::string head_text;
    struct field {
        std::size_t name, value, end; ///< name begins, value begins, value ends
    };
    std::vector<field> fields;
    std::size_t head_bytes = 0; ///< of all heads, 1xx included
    bool head_done = false;
    std::string incoming; ///< body bytes that were not taken yet
    bool ended = false;   ///< the response is complete

    bool failed = false;
    chm_rc code = CHM_OK;
    std::string why;
    std::string complaint;      ///< nghttp2's complaint about the response
    bool answered = false;      ///< a frame of a response has come
    bool not_processed = false; ///< the server says so: it may be sent again
    bool sent_away = false;     ///< not processed, by a connection that has served others and takes no more
    bool lost = false;          ///< the connection went, not the stream
    bool reset_by_peer = false;

    // CLOCK_MONOTONIC, ns; 0: not yet
    std::uint64_t sent_ns = 0, first_byte_ns = 0, last_activity_ns = 0;
    std::uint64_t head_readable_ns = 0, head_behind_ns = 0;         ///< of the head
    std::uint64_t incoming_readable_ns = 0, incoming_behind_ns = 0; ///< of the first byte of `incoming`

    /// For the next request, with memory and request kept.
    void reset() noexcept {
        id = -1;
        body_sent = head_bytes = 0;
        attached = headers_sent = head_done = ended = failed = answered = not_processed = sent_away = lost =
            reset_by_peer = false;
        forget_head();
        incoming.clear();
        why.clear();
        complaint.clear();
        code = CHM_OK;
        sent_ns = first_byte_ns = last_activity_ns = 0;
        head_readable_ns = head_behind_ns = incoming_readable_ns = incoming_behind_ns = 0;
    }
    void forget_head() noexcept {
        status = 0;
        head_text.clear();
        fields.clear();
    }
    /// If there is no memory for the text, it stays empty.
    void fail(chm_rc with, std::string_view text) noexcept {
        failed = true;
        code = with;
        try {
            why.assign(text);
        } catch (const std::bad_alloc&) {
            why.clear();
        }
    }
};

} // namespace chimera::h2
