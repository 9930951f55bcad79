#include "response_head.hpp"

#include "http1/http_text.hpp"

namespace chimera::curl {

response_head::outcome response_head::add(std::string_view line) {
    bytes_ += line.size();
    if (bytes_ > max_bytes) throw sdk::error(CHM_E_LIMIT, too_large);
    if (complete_) return outcome::more; // a trailer: chunk_reader has seen it
    if (line.ends_with('\n')) line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
    if (!in_head_) {
        begin(line);
        return outcome::more;
    }
    if (!line.empty()) {
        fields_.add(line);
        return outcome::more;
    }
    in_head_ = false;
    if (status_ == 101) throw http1::bad_message("the server switched protocols without being asked (status 101)");
    if (status_ < 200) return outcome::interim;
    finish();
    return outcome::complete;
}

void response_head::fill(chm_head& head) const noexcept {
    head.status = status_;
    head.headers = headers_.data();
    head.n_headers = headers_.size();
}

void response_head::clear(bool no_body) noexcept {
    bytes_ = 0;
    in_head_ = complete_ = false;
    no_body_ = no_body;
    framing_ = {};
}

/// curl has seen a status line here, but to it that is also "HTTP/2 200", "http/1.1 404" (as 200) and "HTTP/1.1 200OK".
void response_head::begin(std::string_view line) {
    fields_.clear();
    minor_version_ = http1::version_of(line);
    if (minor_version_ > 1)
        throw http1::bad_message(
            "the version in its status line is not 1.0 or 1.1, which are all that libcurl takes: " +
            http1::shown(line));
    status_ = http1::status_of(line);
    in_head_ = true;
}

void response_head::finish() {
    headers_ = fields_.all();
    framing_ = body_framing::of(status_, minor_version_, no_body_, fields_);
    complete_ = true;
}

} // namespace chimera::curl
