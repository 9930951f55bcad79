#include "http_request_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace chimera::sim {

namespace http = boost::beast::http;

struct http_request_reader::parser {
    http::request_parser<http::string_body> message;
    bool continue_seen = false;

    parser() {
        message.eager(true);
        message.header_limit(static_cast<std::uint32_t>(http_header_limit));
        message.body_limit(http_body_limit);
    }
};

http_request_reader::http_request_reader() = default;
http_request_reader::~http_request_reader() = default;

http_request_reader::outcome http_request_reader::feed(std::string_view bytes) {
    if (!unread_.empty()) {
        unread_.append(bytes);
        return next();
    }
    const auto result = parse(bytes);
    unread_.assign(bytes);
    return result;
}

http_request_reader::outcome http_request_reader::next() {
    std::string_view bytes = unread_;
    const auto result = parse(bytes);
    if (bytes.empty()) {
        std::string().swap(unread_);
    } else {
        unread_.erase(0, unread_.size() - bytes.size());
    }
    return result;
}

/// Consumes from `bytes` what belongs to the present request.
http_request_reader::outcome http_request_reader::parse(std::string_view& bytes) {
    if (!parser_) {
        // RFC 9112, 2.2: empty lines before a request line are to be ignored.
        while (!bytes.empty() && (bytes.front() == '\r' || bytes.front() == '\n')) {
            bytes.remove_prefix(1);
        }
        if (bytes.empty()) {
            return outcome::need_more;
        }
        parser_ = std::make_unique<parser>();
    }
    auto& message = parser_->message;
    boost::system::error_code error;
    while (!bytes.empty() && !message.is_done()) {
        const auto used = message.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
        bytes.remove_prefix(used);
        if (error == http::error::need_more) {
            error = {};
            if (used == 0) {
                break;
            }
        }
        if (error) {
            break;
        }
    }
    if (error == http::error::header_limit) {
        return fail(431, "request header is too large");
    }
    if (error == http::error::body_limit) {
        return fail(413, "request body is too large");
    }
    if (error) {
        return fail(400, "malformed HTTP request: " + error.message());
    }
    if (message.is_header_done() && !parser_->continue_seen) {
        parser_->continue_seen = true;
        continue_wanted_ = !message.is_done() && message.get()[http::field::expect] == "100-continue";
    }
    if (!message.is_done()) {
        return outcome::need_more;
    }

    auto& done = message.get();
    request_.method.assign(done.method_string().data(), done.method_string().size());
    const auto target = std::string_view(done.target().data(), done.target().size());
    request_.path = target.substr(0, target.find('?'));
    request_.fault = std::string(done["X-Chimera-Fault"]);
    request_.body = std::move(done.body());
    request_.keep_alive = message.keep_alive();
    request_.http_1_0 = done.version() < 11;
    parser_.reset();
    return outcome::complete;
}

bool http_request_reader::take_continue() { return std::exchange(continue_wanted_, false); }

http_request_reader::outcome http_request_reader::fail(int status, std::string text) {
    error_status_ = status;
    error_text_ = std::move(text);
    parser_.reset();
    return outcome::failed;
}

} // namespace chimera::sim
