#include "response_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <cstring>

#include "chimera/sdk/error.hpp"

namespace chimera::socket {

namespace http = boost::beast::http;

response_parser::message::message(response_parser& owner, bool no_body) : owner_(owner) {
    header_limit(owner.limits_.header_bytes);
    body_limit(boost::none);
    skip(no_body);
}

std::size_t response_parser::message::gather(text body) {
    // The bytes lie in the caller's buffer, behind everything gathered before.
    char* const from = const_cast<char*>(body.data());
    if (body_end == nullptr)
        body_begin = body_end = from;
    else if (body_end != from)
        std::memmove(body_end, from, body.size());
    body_end += body.size();
    return body.size();
}

void response_parser::message::on_response_impl(int code, text, int, error_code&) { status = code; }

void response_parser::message::on_field_impl(http::field, text name, text value, error_code&) {
    if (owner_.head_done_) return; // a trailer: nobody asks for it
    owner_.fields_.push_back({owner_.text_.size(), name.size(), value.size()});
    owner_.text_.append(name.data(), name.size());
    owner_.text_.append(value.data(), value.size());
}

void response_parser::message::on_chunk_header_impl(std::uint64_t size, text, error_code& ec) {
    if (size > owner_.limits_.chunk_bytes) ec = http::error::body_limit;
}

void response_parser::begin(bool no_body) {
    no_body_ = no_body;
    head_done_ = false;
    head_bytes_ = 0;
    next_message();
}

void response_parser::next_message() {
    text_.clear();
    fields_.clear();
    message_.emplace(*this, no_body_);
}

std::size_t response_parser::parse_head(std::span<char> bytes) {
    std::size_t consumed = 0;
    while (consumed < bytes.size()) {
        const std::span<char> rest = bytes.subspan(consumed);
        boost::beast::error_code ec;
        const std::size_t n = message_->put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
        consumed += n;
        head_bytes_ += n; // beast counts what it sees at once, which is less when a head comes in pieces
        if (head_bytes_ + (message_->is_header_done() ? 0 : rest.size() - n) > limits_.header_bytes)
            ec = http::error::header_limit;
        check(ec, 0);
        if (!message_->is_header_done()) break;
        if (message_->status == 101)
            throw sdk::error(CHM_E_PROTO, "the server switched protocols without being asked (status 101)");
        if (message_->status / 100 != 1) {
            head_done_ = true;
            message_->eager(true);
            break;
        }
        next_message();
    }
    return consumed;
}

std::span<const chm_kv> response_parser::headers() {
    headers_.clear();
    for (const field& f : fields_) {
        const char* const at = text_.data() + f.at;
        headers_.push_back({{at, f.name}, {at + f.name, f.value}});
    }
    return headers_;
}

response_parser::progress response_parser::parse_body(std::span<char> bytes) {
    message_->body_begin = message_->body_end = nullptr;
    boost::beast::error_code ec;
    const std::size_t n = message_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    if (ec || n != bytes.size()) check(ec, message_->is_done() ? 0 : bytes.size() - n);
    return {n, {message_->body_begin, static_cast<std::size_t>(message_->body_end - message_->body_begin)}};
}

void response_parser::end_of_stream() {
    boost::beast::error_code ec = http::error::partial_message;
    if (message_->got_some()) message_->put_eof(ec);
    if (ec) throw sdk::error(CHM_E_CLOSED, "the server closed the connection before the end of the response");
}

void response_parser::check(const boost::beast::error_code& ec, std::size_t unconsumed) const {
    if (ec == http::error::header_limit || unconsumed > limits_.header_bytes)
        throw sdk::error(CHM_E_LIMIT, "the server sent more than " + std::to_string(limits_.header_bytes) +
                                          " bytes of header or chunk framing (max_header_bytes)");
    if (ec == http::error::body_limit)
        throw sdk::error(CHM_E_LIMIT, "the server declared a chunk of more than " +
                                          std::to_string(limits_.chunk_bytes) + " bytes (max_chunk_bytes)");
    if (ec && ec != http::error::need_more)
        throw sdk::error(CHM_E_PROTO, "the server's response is not HTTP/1.1: " + ec.message());
}

} // namespace chimera::socket
