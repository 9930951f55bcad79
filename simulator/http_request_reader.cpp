#include "http_request_reader.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "http1/chunk_reader.hpp"
#include "http1/http_text.hpp"
#include "http1/message_head.hpp"

namespace chimera::sim {

namespace {

/// Why a request is answered with an error.
struct refusal {
    int status;
    const char* text;
};

constexpr refusal head_too_large{431, "request header is too large"};
constexpr refusal framing_too_large{431, "request has more than 64 KiB of trailers or chunk extensions"};
constexpr refusal body_too_large{413, "request body is too large"};
constexpr std::size_t longest_method = 32; ///< that is judged before its line is whole

class request_chunks final : public http1::chunk_reader {
  public:
    request_chunks() noexcept : chunk_reader({.chunk_bytes = http_body_limit, .framing_bytes = http_header_limit}) {}

  private:
    std::exception_ptr error_of(limit which) const override {
        switch (which) {
        case limit::digits:
            return std::make_exception_ptr(
                http1::bad_message("a chunk's size has more than " + std::to_string(most_digits) + " digits"));
        case limit::chunk:
            return std::make_exception_ptr(body_too_large);
        case limit::framing:
            break;
        }
        return std::make_exception_ptr(framing_too_large);
    }
};

/// "POST /path?query HTTP/1.1". Returns the y of HTTP/1.y.
int read_request_line(std::string_view line, http_request& request) {
    const auto refuse = [&](const char* why) { return http1::bad_message(why + http1::shown(line)); };
    const std::size_t method_end = line.find(' ');
    const std::size_t target_end = line.rfind(' ');
    if (!http1::is_token(line.substr(0, method_end)) || method_end == target_end) {
        throw refuse("its first line is not a method, a target and a version: ");
    }
    const auto target = line.substr(method_end + 1, target_end - method_end - 1);
    if (target.empty() ||
        !std::ranges::all_of(target, [](char c) { return c != ' ' && c != '\t' && !http1::is_control(c); })) {
        throw refuse("its target is empty, or has a blank or a control character: ");
    }
    if (target.front() == '?') {
        throw refuse("its target has no path: ");
    }
    const auto version = line.substr(target_end + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        throw refuse("its version is not HTTP/1.1 or HTTP/1.0: ");
    }
    request.method = line.substr(0, method_end);
    request.path = target.substr(0, target.find('?'));
    return version.back() - '0';
}

} // namespace

struct http_request_reader::begun_request {
    http1::line_reader lines{http_header_limit};
    http1::field_list fields;
    request_chunks chunks;
    int minor_version = -1; // until the request line is read
    bool head_done = false;
    bool chunked = false;
    std::size_t left = 0; // of a body that is counted
};

http_request_reader::http_request_reader() = default;
http_request_reader::~http_request_reader() = default;

http_request_reader::outcome http_request_reader::feed(std::string_view bytes) {
    if (!unread_.empty()) {
        unread_.append(bytes);
        return next();
    }
    const auto result = read(bytes);
    if (result != outcome::failed) {
        unread_.assign(bytes);
    }
    return result;
}

http_request_reader::outcome http_request_reader::next() {
    std::string_view bytes = unread_;
    const auto result = read(bytes);
    if (bytes.empty() || result == outcome::failed) {
        std::string().swap(unread_);
    } else {
        unread_.erase(0, unread_.size() - bytes.size());
    }
    return result;
}

/// Consumes the bytes of the current request, as far as they have come.
http_request_reader::outcome http_request_reader::read(std::string_view& bytes) {
    if (!begun_) {
        // RFC 9112, 2.2: empty lines before a request line are to be ignored.
        bytes.remove_prefix(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
        if (bytes.empty()) {
            return outcome::need_more;
        }
        begun_ = std::make_unique<begun_request>();
        request_ = {};
    }
    try {
        if (!read_head(bytes) || !read_body(bytes)) {
            return outcome::need_more;
        }
        continue_wanted_ = false;
        begun_.reset();
        return outcome::complete;
    } catch (const http1::bad_message& error) {
        error_status_ = 400;
        error_text_ = "malformed HTTP request: " + std::string(error.why());
    } catch (const refusal& error) {
        error_status_ = error.status;
        error_text_ = error.text;
    }
    begun_.reset();
    request_ = {};
    return outcome::failed;
}

std::size_t http_request_reader::held() const {
    const auto head = begun_ && !begun_->lines.over_limit() ? http_header_limit - begun_->lines.room() : 0;
    return unread_.size() + request_.body.size() + head;
}

void http_request_reader::release() {
    begun_.reset();
    request_ = {};
    std::string().swap(unread_);
}

/// True when the head is whole.
bool http_request_reader::read_head(std::string_view& bytes) {
    auto& begun = *begun_;
    while (!begun.head_done) {
        if (begun.minor_version < 0) {
            // A client of another protocol (example: TLS) may wait for an answer without ever ending a line.
            const auto method = bytes.substr(0, longest_method);
            const auto end = std::ranges::find_if_not(method, http1::is_token_character);
            if (end != method.end() && (*end != ' ' || end == method.begin())) {
                throw http1::bad_message("it begins with " + http1::shown({method.begin(), std::next(end)}) +
                                         ", not with a method");
            }
        }
        const auto line = begun.lines.next(bytes);
        if (begun.lines.over_limit()) {
            throw head_too_large;
        }
        if (!line) {
            return false;
        }
        if (begun.minor_version < 0) {
            begun.minor_version = read_request_line(line->text, request_);
        } else if (line->text.empty()) {
            begin_body();
        } else {
            begun.fields.add(line->text);
        }
        bytes.remove_prefix(line->size);
    }
    return true;
}

/// Acts on a whole head.
void http_request_reader::begin_body() {
    auto& begun = *begun_;
    const auto body = http1::declared_body::of(begun.fields, UINT64_MAX, "chimera-sim");
    if (body.has_length && body.has_codings) { // a proxy on the way may see another end (RFC 9112, 6.3)
        throw http1::bad_message("it has both a Content-Length and a Transfer-Encoding");
    }
    if (body.length > http_body_limit) {
        throw body_too_large;
    }
    begun.chunked = body.chunked;
    begun.left = body.length;
    begun.head_done = true;
    continue_wanted_ = http1::same_name(begun.fields.list("expect").value_or(""), "100-continue");
    request_.fault = begun.fields.list("x-chimera-fault").value_or("");
    request_.keep_alive = http1::stays_open(begun.fields, begun.minor_version);
    request_.http_1_0 = begun.minor_version == 0;
}

/// True when the body is whole.
bool http_request_reader::read_body(std::string_view& bytes) {
    auto& begun = *begun_;
    if (!begun.chunked) {
        const auto part = bytes.substr(0, begun.left);
        request_.body += part;
        begun.left -= part.size();
        bytes.remove_prefix(part.size());
        return begun.left == 0;
    }
    while (!begun.chunks.done() && !bytes.empty()) {
        request_.body += begun.chunks.next_run(bytes);
        if (request_.body.size() > http_body_limit) {
            throw body_too_large;
        }
    }
    return begun.chunks.done();
}

bool http_request_reader::take_continue() { return std::exchange(continue_wanted_, false); }

} // namespace chimera::sim
